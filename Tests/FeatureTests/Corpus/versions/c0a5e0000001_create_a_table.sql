-- Create a table
--
-- Revision ID: c0a5e0000001
-- Revises:
-- Create Date: 2026-11-24 00:01:00

-- upgrade

CREATE TABLE customer (id bigserial PRIMARY KEY, name varchar(80) NOT NULL, note text);

-- downgrade

DROP TABLE customer;

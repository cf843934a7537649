-- Make a schema
--
-- Revision ID: c0a5e0000039
-- Revises: c0a5e0000038
-- Create Date: 2026-11-24 00:39:00

-- upgrade

CREATE SCHEMA store CREATE TABLE item (id int PRIMARY KEY) CREATE VIEW items AS SELECT id FROM item;

-- downgrade

DROP SCHEMA store CASCADE;

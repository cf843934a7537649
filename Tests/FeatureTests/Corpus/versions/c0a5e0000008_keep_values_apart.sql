-- Keep values apart
--
-- Revision ID: c0a5e0000008
-- Revises: c0a5e0000007
-- Create Date: 2026-11-24 00:08:00

-- upgrade

ALTER TABLE customer ADD CONSTRAINT customer_name_key UNIQUE (name, note);
CREATE TABLE pair (a int, b int, UNIQUE NULLS NOT DISTINCT (a), PRIMARY KEY (a, b));

-- downgrade

DROP TABLE pair;
ALTER TABLE customer DROP CONSTRAINT customer_name_key;

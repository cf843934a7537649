-- Index some
--
-- Revision ID: c0a5e0000029
-- Revises: c0a5e0000028
-- Create Date: 2026-11-24 00:29:00

-- upgrade

CREATE INDEX customer_some ON customer (name) WHERE note IS NOT NULL AND name <> ';';

-- downgrade

DROP INDEX customer_some;

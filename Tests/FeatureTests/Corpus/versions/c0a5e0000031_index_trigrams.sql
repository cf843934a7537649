-- Index trigrams
--
-- Revision ID: c0a5e0000031
-- Revises: c0a5e0000030
-- Create Date: 2026-11-24 00:31:00

-- upgrade

CREATE EXTENSION pg_trgm;
CREATE INDEX customer_trgm ON customer USING gin (name gin_trgm_ops);

-- downgrade

DROP INDEX customer_trgm;
DROP EXTENSION pg_trgm;

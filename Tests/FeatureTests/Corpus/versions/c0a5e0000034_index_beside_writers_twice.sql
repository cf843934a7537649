-- Index beside writers twice
--
-- Revision ID: c0a5e0000034
-- Revises: c0a5e0000033
-- Create Date: 2026-11-24 00:34:00

-- upgrade

-- outside transaction
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS customer_code ON customer (code, id); -- behind it
/* and; */ CREATE INDEX CONCURRENTLY customer_created ON customer (created);

-- downgrade

-- outside transaction
DROP INDEX CONCURRENTLY customer_created;
DROP INDEX CONCURRENTLY customer_code;

-- Index beside writers
--
-- Revision ID: c0a5e0000033
-- Revises: c0a5e0000032
-- Create Date: 2026-11-24 00:33:00

-- upgrade

-- outside transaction
CREATE INDEX CONCURRENTLY area_w ON area (w);

-- downgrade

-- outside transaction
DROP INDEX CONCURRENTLY area_w;

-- Index otherwise
--
-- Revision ID: c0a5e0000032
-- Revises: c0a5e0000031
-- Create Date: 2026-11-24 00:32:00

-- upgrade

CREATE INDEX area_brin ON area USING brin (w) WITH (pages_per_range = 16);
CREATE INDEX area_hash ON area USING hash (h);
CREATE UNIQUE INDEX pair_b ON pair (b) INCLUDE (a);

-- downgrade

DROP INDEX area_brin, area_hash, pair_b;

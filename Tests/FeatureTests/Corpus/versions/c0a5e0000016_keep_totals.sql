-- Keep totals
--
-- Revision ID: c0a5e0000016
-- Revises: c0a5e0000015
-- Create Date: 2026-11-24 00:16:00

-- upgrade

CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM area;
CREATE UNIQUE INDEX total_n ON total (n);

-- downgrade

DROP MATERIALIZED VIEW total;

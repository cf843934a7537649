-- Keep statistics
--
-- Revision ID: c0a5e0000061
-- Revises: c0a5e0000060
-- Create Date: 2026-11-24 01:01:00

-- upgrade

CREATE STATISTICS area_stats (ndistinct, dependencies) ON width, h FROM area;

-- downgrade

DROP STATISTICS area_stats;

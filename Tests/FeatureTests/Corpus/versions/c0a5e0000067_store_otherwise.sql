-- Store otherwise
--
-- Revision ID: c0a5e0000067
-- Revises: c0a5e0000066
-- Create Date: 2026-11-24 01:07:00

-- upgrade

CREATE UNLOGGED TABLE fast (a int) WITH (fillfactor = 70);
ALTER TABLE customer SET (fillfactor = 90, autovacuum_enabled = false);
ALTER TABLE customer ALTER note SET STORAGE EXTERNAL, ALTER name SET STATISTICS 500;
ALTER TABLE area REPLICA IDENTITY FULL, CLUSTER ON area_w;

-- downgrade

ALTER TABLE area REPLICA IDENTITY DEFAULT, SET WITHOUT CLUSTER;
ALTER TABLE customer ALTER note SET STORAGE EXTENDED, ALTER name SET STATISTICS -1;
ALTER TABLE customer RESET (fillfactor, autovacuum_enabled);
DROP TABLE fast;

-- Generate a column
--
-- Revision ID: c0a5e0000006
-- Revises: c0a5e0000005
-- Create Date: 2026-11-24 00:06:00

-- upgrade

CREATE TABLE area (w int, h int, size int GENERATED ALWAYS AS (w * h) STORED);
INSERT INTO area (w, h) VALUES (2, 3);

-- downgrade

DROP TABLE area;

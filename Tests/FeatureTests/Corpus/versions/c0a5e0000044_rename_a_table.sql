-- Rename a table
--
-- Revision ID: c0a5e0000044
-- Revises: c0a5e0000043
-- Create Date: 2026-11-24 00:44:00

-- upgrade

ALTER TABLE pair RENAME TO couple;
ALTER INDEX pair_b RENAME TO couple_b;
ALTER TABLE couple RENAME CONSTRAINT pair_pkey TO couple_pkey;

-- downgrade

ALTER TABLE couple RENAME CONSTRAINT couple_pkey TO pair_pkey;
ALTER INDEX couple_b RENAME TO pair_b;
ALTER TABLE couple RENAME TO pair;

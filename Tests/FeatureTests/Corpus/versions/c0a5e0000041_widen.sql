-- Widen
--
-- Revision ID: c0a5e0000041
-- Revises: c0a5e0000040
-- Create Date: 2026-11-24 00:41:00

-- upgrade

ALTER TABLE types ALTER a TYPE int, ALTER h TYPE text, ALTER d TYPE numeric(12, 2);

-- downgrade

ALTER TABLE types ALTER a TYPE smallint, ALTER h TYPE char(3), ALTER d TYPE numeric(10, 2);

-- Convert
--
-- Revision ID: c0a5e0000042
-- Revises: c0a5e0000041
-- Create Date: 2026-11-24 00:42:00

-- upgrade

ALTER TABLE types ALTER j TYPE int USING length(j), ALTER l TYPE timestamptz USING l::timestamptz;

-- downgrade

ALTER TABLE types ALTER j TYPE text, ALTER l TYPE date USING l::date;

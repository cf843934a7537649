-- Lock
--
-- Revision ID: c0a5e0000069
-- Revises: c0a5e0000068
-- Create Date: 2026-11-24 01:09:00

-- upgrade

LOCK TABLE customer IN SHARE MODE;
ALTER TABLE customer ALTER code SET DEFAULT 'l;';

-- downgrade

ALTER TABLE customer ALTER code SET DEFAULT lower('A') || '-' || 1;

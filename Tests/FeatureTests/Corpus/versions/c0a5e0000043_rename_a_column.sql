-- Rename a column
--
-- Revision ID: c0a5e0000043
-- Revises: c0a5e0000042
-- Create Date: 2026-11-24 00:43:00

-- upgrade

ALTER TABLE area RENAME w TO width;

-- downgrade

ALTER TABLE area RENAME width TO w;

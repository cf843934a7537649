-- Require a note
--
-- Revision ID: c0a5e0000040
-- Revises: c0a5e0000039
-- Create Date: 2026-11-24 00:40:00

-- upgrade

UPDATE customer SET note = '' WHERE note IS NULL;
ALTER TABLE customer ALTER note SET NOT NULL, ALTER note SET DEFAULT 'none;';

-- downgrade

ALTER TABLE customer ALTER note DROP NOT NULL, ALTER note DROP DEFAULT;

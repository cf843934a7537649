-- Validate later
--
-- Revision ID: c0a5e0000046
-- Revises: c0a5e0000045
-- Create Date: 2026-11-24 00:46:00

-- upgrade

ALTER TABLE customer ADD CONSTRAINT later CHECK (id > 0) NOT VALID;

-- downgrade

ALTER TABLE customer DROP CONSTRAINT later;

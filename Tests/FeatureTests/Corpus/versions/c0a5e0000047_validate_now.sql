-- Validate now
--
-- Revision ID: c0a5e0000047
-- Revises: c0a5e0000046
-- Create Date: 2026-11-24 00:47:00

-- upgrade

ALTER TABLE customer VALIDATE CONSTRAINT later;

-- downgrade

ALTER TABLE customer DROP CONSTRAINT later;
ALTER TABLE customer ADD CONSTRAINT later CHECK (id > 0) NOT VALID;

-- Collate
--
-- Revision ID: c0a5e0000038
-- Revises: c0a5e0000037
-- Create Date: 2026-11-24 00:38:00

-- upgrade

CREATE COLLATION plain (locale = 'C');
ALTER TABLE customer ADD sorted text COLLATE plain;

-- downgrade

ALTER TABLE customer DROP sorted;
DROP COLLATION plain;

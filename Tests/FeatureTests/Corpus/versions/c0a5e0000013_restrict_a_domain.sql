-- Restrict a domain
--
-- Revision ID: c0a5e0000013
-- Revises: c0a5e0000012
-- Create Date: 2026-11-24 00:13:00

-- upgrade

CREATE DOMAIN email AS text CHECK (value ~ '^[^@;]+@[^@;]+$');
ALTER TABLE customer ADD email email;

-- downgrade

ALTER TABLE customer DROP email;
DROP DOMAIN email;

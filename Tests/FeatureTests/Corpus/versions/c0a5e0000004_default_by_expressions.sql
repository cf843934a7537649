-- Default by expressions
--
-- Revision ID: c0a5e0000004
-- Revises: c0a5e0000003
-- Create Date: 2026-11-24 00:04:00

-- upgrade

ALTER TABLE customer ADD created timestamptz NOT NULL DEFAULT now();
ALTER TABLE customer ADD token uuid DEFAULT gen_random_uuid(), ADD code text DEFAULT lower('A') || '-' || 1;

-- downgrade

ALTER TABLE customer DROP created;
ALTER TABLE customer DROP token, DROP code;

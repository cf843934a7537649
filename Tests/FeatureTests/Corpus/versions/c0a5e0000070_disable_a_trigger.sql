-- Disable a trigger
--
-- Revision ID: c0a5e0000070
-- Revises: c0a5e0000069
-- Create Date: 2026-11-24 01:10:00

-- upgrade

ALTER TABLE customer DISABLE TRIGGER customer_touch;

-- downgrade

ALTER TABLE customer ENABLE TRIGGER customer_touch;

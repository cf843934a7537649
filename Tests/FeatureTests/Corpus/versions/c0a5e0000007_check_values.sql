-- Check values
--
-- Revision ID: c0a5e0000007
-- Revises: c0a5e0000006
-- Create Date: 2026-11-24 00:07:00

-- upgrade

ALTER TABLE customer ADD CONSTRAINT customer_name_check CHECK (name <> '' AND name NOT LIKE '%;%');
ALTER TABLE area ADD CHECK (w > 0), ADD CHECK (h > 0);

-- downgrade

ALTER TABLE area DROP CONSTRAINT area_w_check, DROP CONSTRAINT area_h_check;
ALTER TABLE customer DROP CONSTRAINT customer_name_check;

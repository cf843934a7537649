-- Do nothing
--
-- Revision ID: c0a5e0000071
-- Revises: c0a5e0000070
-- Create Date: 2026-11-24 01:11:00

-- upgrade

-- nothing; at all

-- downgrade



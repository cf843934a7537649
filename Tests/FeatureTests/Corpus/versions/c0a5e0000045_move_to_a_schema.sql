-- Move to a schema
--
-- Revision ID: c0a5e0000045
-- Revises: c0a5e0000044
-- Create Date: 2026-11-24 00:45:00

-- upgrade

ALTER TABLE house SET SCHEMA store;

-- downgrade

ALTER TABLE store.house SET SCHEMA public;

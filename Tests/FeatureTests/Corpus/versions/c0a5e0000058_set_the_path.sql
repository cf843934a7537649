-- Set the path
--
-- Revision ID: c0a5e0000058
-- Revises: c0a5e0000057
-- Create Date: 2026-11-24 00:58:00

-- upgrade

SET search_path TO store;
CREATE TABLE pathed (a int);

-- downgrade

DROP TABLE store.pathed;

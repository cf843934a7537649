-- See customers
--
-- Revision ID: c0a5e0000015
-- Revises: c0a5e0000014
-- Create Date: 2026-11-24 00:15:00

-- upgrade

CREATE VIEW named AS SELECT id, name FROM customer WHERE name <> ';';

-- downgrade

DROP VIEW named;

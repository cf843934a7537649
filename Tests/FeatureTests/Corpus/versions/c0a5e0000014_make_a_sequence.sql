-- Make a sequence
--
-- Revision ID: c0a5e0000014
-- Revises: c0a5e0000013
-- Create Date: 2026-11-24 00:14:00

-- upgrade

CREATE SEQUENCE number START 10 INCREMENT 5 MINVALUE 10 MAXVALUE 1000 CACHE 2 CYCLE;

-- downgrade

DROP SEQUENCE number;

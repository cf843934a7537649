-- Quote by Unicode
--
-- Revision ID: c0a5e0000053
-- Revises: c0a5e0000052
-- Create Date: 2026-11-24 00:53:00

-- upgrade

CREATE TABLE unicode (U&"d\0061ta;" text DEFAULT U&'\0041;', "ä;ö" text DEFAULT 'Ж;😀');
INSERT INTO unicode DEFAULT VALUES;

-- downgrade

DROP TABLE unicode;

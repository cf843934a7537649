-- Continue strings
--
-- Revision ID: c0a5e0000054
-- Revises: c0a5e0000053
-- Create Date: 2026-11-24 00:54:00

-- upgrade

CREATE TABLE continued (a text DEFAULT 'one;'
    'two', b bytea DEFAULT '\x3b', c bit(4) DEFAULT B'1010', d text DEFAULT N'n;');

-- downgrade

DROP TABLE continued;

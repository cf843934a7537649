-- Inherit
--
-- Revision ID: c0a5e0000028
-- Revises: c0a5e0000027
-- Create Date: 2026-11-24 00:28:00

-- upgrade

CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);

-- downgrade

DROP TABLE child, parent;

-- Begin with a mark
--
-- Revision ID: c0a5e0000056
-- Revises: c0a5e0000055
-- Create Date: 2026-11-24 00:56:00

-- upgrade

CREATE TABLE bom (a int);

-- downgrade

DROP TABLE bom;

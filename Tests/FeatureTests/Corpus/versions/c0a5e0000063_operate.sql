-- Operate
--
-- Revision ID: c0a5e0000063
-- Revises: c0a5e0000062
-- Create Date: 2026-11-24 01:03:00

-- upgrade

CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = plus);

-- downgrade

DROP OPERATOR <+> (int, int);

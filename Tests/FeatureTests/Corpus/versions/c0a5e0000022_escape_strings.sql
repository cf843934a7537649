-- Escape strings
--
-- Revision ID: c0a5e0000022
-- Revises: c0a5e0000021
-- Create Date: 2026-11-24 00:22:00

-- upgrade

CREATE FUNCTION escaped() RETURNS text LANGUAGE sql AS E'SELECT \'a;\\\\\'\'b\'; -- no end';
COMMENT ON FUNCTION escaped() IS E'\';';

-- downgrade

DROP FUNCTION escaped();

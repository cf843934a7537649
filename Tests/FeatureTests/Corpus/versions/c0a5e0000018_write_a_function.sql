-- Write a function
--
-- Revision ID: c0a5e0000018
-- Revises: c0a5e0000017
-- Create Date: 2026-11-24 00:18:00

-- upgrade

CREATE FUNCTION plus(a int, b int) RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT a + b; $$;

-- downgrade

DROP FUNCTION plus(int, int);

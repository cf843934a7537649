-- Write an atomic one
--
-- Revision ID: c0a5e0000020
-- Revises: c0a5e0000019
-- Create Date: 2026-11-24 00:20:00

-- upgrade

CREATE FUNCTION twice(n int) RETURNS int
BEGIN ATOMIC
    SELECT 1;
    SELECT CASE WHEN n > 0 THEN n + n ELSE 0 END;
END;

-- downgrade

DROP FUNCTION twice(int);

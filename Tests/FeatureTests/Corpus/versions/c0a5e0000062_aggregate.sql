-- Aggregate
--
-- Revision ID: c0a5e0000062
-- Revises: c0a5e0000061
-- Create Date: 2026-11-24 01:02:00

-- upgrade

CREATE AGGREGATE product(int) (SFUNC = int4mul, STYPE = int, INITCOND = '1');

-- downgrade

DROP AGGREGATE product(int);

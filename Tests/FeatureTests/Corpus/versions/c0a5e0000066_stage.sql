-- Stage
--
-- Revision ID: c0a5e0000066
-- Revises: c0a5e0000065
-- Create Date: 2026-11-24 01:06:00

-- upgrade

CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT id FROM customer;
DROP TABLE staged;
CREATE TEMP TABLE other (a int);
DROP TABLE other;

-- downgrade

SELECT 1;

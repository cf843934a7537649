-- See a series
--
-- Revision ID: c0a5e0000017
-- Revises: c0a5e0000016
-- Create Date: 2026-11-24 00:17:00

-- upgrade

CREATE RECURSIVE VIEW series (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM series WHERE n < 5;

-- downgrade

DROP VIEW series;

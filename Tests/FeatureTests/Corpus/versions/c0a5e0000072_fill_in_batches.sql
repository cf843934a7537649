-- Fill in batches
--
-- Revision ID: c0a5e0000072
-- Revises: c0a5e0000071
-- Create Date: 2026-11-29 02:20:00

-- upgrade

CREATE TABLE batched (id bigint PRIMARY KEY, "Half" numeric);
INSERT INTO batched SELECT n FROM generate_series(1, 25) n;

-- batches of 10 by id
UPDATE batched AS b SET "Half" = id / 2.0 WHERE "Half" IS NULL OR b.id = 3; -- so

ALTER TABLE batched ALTER "Half" SET NOT NULL;

-- downgrade

-- batches of 10 by id
DELETE FROM batched WHERE "Half" > 3;
DROP TABLE batched;

-- fixtures

CREATE TABLE fixture (n int);
DROP TABLE fixture;

-- verify

SELECT count(*) = 25 AND sum("Half") = 162.5 FROM batched;

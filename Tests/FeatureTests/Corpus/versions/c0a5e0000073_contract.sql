-- Contract
--
-- Revision ID: c0a5e0000073
-- Revises: c0a5e0000072
-- Create Date: 2026-11-29 02:21:00

-- upgrade

-- contract of c0a5e0000072
ALTER TABLE batched DROP "Half";

-- downgrade

ALTER TABLE batched ADD "Half" numeric;
UPDATE batched SET "Half" = id / 2.0;
ALTER TABLE batched ALTER "Half" SET NOT NULL;

-- Exclude
--
-- Revision ID: c0a5e0000048
-- Revises: c0a5e0000047
-- Create Date: 2026-11-24 00:48:00

-- upgrade

CREATE TABLE booking (during int4range, EXCLUDE USING gist (during WITH &&));

-- downgrade

DROP TABLE booking;

-- Compose a type
--
-- Revision ID: c0a5e0000010
-- Revises: c0a5e0000009
-- Create Date: 2026-11-24 00:10:00

-- upgrade

CREATE TYPE address AS (street text, city text);
CREATE TABLE house (id int, place address);

-- downgrade

DROP TABLE house;
DROP TYPE address;

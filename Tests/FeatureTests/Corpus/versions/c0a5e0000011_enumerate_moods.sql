-- Enumerate moods
--
-- Revision ID: c0a5e0000011
-- Revises: c0a5e0000010
-- Create Date: 2026-11-24 00:11:00

-- upgrade

CREATE TYPE mood AS ENUM ('sad', 'o;k', 'it''s');
CREATE TABLE person (id int, mood mood DEFAULT 'sad');
INSERT INTO person VALUES (1);

-- downgrade

DROP TABLE person;
DROP TYPE mood;

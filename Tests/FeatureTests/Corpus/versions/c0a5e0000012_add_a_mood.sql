-- Add a mood
--
-- Revision ID: c0a5e0000012
-- Revises: c0a5e0000011
-- Create Date: 2026-11-24 00:12:00

-- upgrade

-- outside transaction
ALTER TYPE mood ADD VALUE 'happy' AFTER 'o;k';
-- inside transaction
UPDATE person SET mood = 'happy' WHERE id = 1;

-- downgrade

UPDATE person SET mood = 'sad';
ALTER TABLE person ALTER mood DROP DEFAULT;
ALTER TYPE mood RENAME TO old_mood;
CREATE TYPE mood AS ENUM ('sad', 'o;k', 'it''s');
ALTER TABLE person ALTER mood TYPE mood USING mood::text::mood, ALTER mood SET DEFAULT 'sad';
DROP TYPE old_mood;

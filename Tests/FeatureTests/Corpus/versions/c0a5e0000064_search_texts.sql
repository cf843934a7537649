-- Search texts
--
-- Revision ID: c0a5e0000064
-- Revises: c0a5e0000063
-- Create Date: 2026-11-24 01:04:00

-- upgrade

CREATE TEXT SEARCH CONFIGURATION own (COPY = simple);
ALTER TABLE customer ADD words tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED;

-- downgrade

ALTER TABLE customer DROP words;
DROP TEXT SEARCH CONFIGURATION own;

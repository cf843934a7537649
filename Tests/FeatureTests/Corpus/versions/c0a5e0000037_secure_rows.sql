-- Secure rows
--
-- Revision ID: c0a5e0000037
-- Revises: c0a5e0000036
-- Create Date: 2026-11-24 00:37:00

-- upgrade

ALTER TABLE person ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON person FOR SELECT USING (id = 1 OR mood = 'it''s');

-- downgrade

DROP POLICY own ON person;
ALTER TABLE person NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

-- Nest comments
--
-- Revision ID: c0a5e0000050
-- Revises: c0a5e0000049
-- Create Date: 2026-11-24 00:50:00

-- upgrade

/* one /* two; */ three; */ CREATE TABLE commented (a int /* ; */, b int -- ; and ' and $$
);
-- the end; of it
/**/;

-- downgrade

DROP /* the; */ TABLE commented -- without more

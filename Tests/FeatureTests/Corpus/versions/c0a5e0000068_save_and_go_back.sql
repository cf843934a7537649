-- Save and go back
--
-- Revision ID: c0a5e0000068
-- Revises: c0a5e0000067
-- Create Date: 2026-11-24 01:08:00

-- upgrade

SAVEPOINT here;
CREATE TABLE never (a int);
ROLLBACK TO SAVEPOINT here;
RELEASE SAVEPOINT here;
CREATE TABLE saved (a int);

-- downgrade

DROP TABLE saved;

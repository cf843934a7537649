-- Rule
--
-- Revision ID: c0a5e0000024
-- Revises: c0a5e0000023
-- Create Date: 2026-11-24 00:24:00

-- upgrade

CREATE TABLE log (what text);
CREATE RULE log_area AS ON INSERT TO area DO (INSERT INTO log VALUES ('one;'); INSERT INTO log VALUES ('two'));

-- downgrade

DROP RULE log_area ON area;
DROP TABLE log;

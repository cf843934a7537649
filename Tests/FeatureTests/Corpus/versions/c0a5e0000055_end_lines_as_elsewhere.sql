-- End lines as elsewhere
--
-- Revision ID: c0a5e0000055
-- Revises: c0a5e0000054
-- Create Date: 2026-11-24 00:55:00

-- upgrade

CREATE TABLE crlf (a int);
CREATE FUNCTION crlf() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;
INSERT INTO crlf VALUES (1);

-- downgrade

DROP FUNCTION crlf();
DROP TABLE crlf;

-- Quote by dollars
--
-- Revision ID: c0a5e0000052
-- Revises: c0a5e0000051
-- Create Date: 2026-11-24 00:52:00

-- upgrade

CREATE TABLE dollars (a text DEFAULT $$;$$, b text DEFAULT $q$it's $$;$$ $q$, c$d$ text DEFAULT '$');
INSERT INTO dollars (c$d$) VALUES ('$$'), ($a$'$a$);

-- downgrade

DROP TABLE dollars;

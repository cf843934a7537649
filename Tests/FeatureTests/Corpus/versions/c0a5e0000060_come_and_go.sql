-- Come and go
--
-- Revision ID: c0a5e0000060
-- Revises: c0a5e0000059
-- Create Date: 2026-11-24 01:00:00

-- upgrade

CREATE TABLE inside (a int);
INSERT INTO inside VALUES (1);
-- outside transaction
VACUUM inside;
CREATE INDEX CONCURRENTLY inside_a ON inside (a);
-- inside transaction
ALTER TABLE inside ADD b int DEFAULT 7;
INSERT INTO inside VALUES (2, 2);

-- downgrade

DROP TABLE inside;

-- Leave blanks
--
-- Revision ID: c0a5e0000057
-- Revises: c0a5e0000056
-- Create Date: 2026-11-24 00:57:00

-- upgrade   

CREATE TABLE blank (a int);

-- downgrade 

DROP TABLE blank;

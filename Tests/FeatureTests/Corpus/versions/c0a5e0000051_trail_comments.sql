-- Trail comments
--
-- Revision ID: c0a5e0000051
-- Revises: c0a5e0000050
-- Create Date: 2026-11-24 00:51:00

-- upgrade

CREATE TABLE trailed (a int) -- trailing; comment
; -- another
INSERT INTO trailed VALUES (1) /* here; */ ;

-- downgrade

DROP TABLE trailed -- gone
;

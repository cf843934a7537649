-- Write an atomic procedure
--
-- Revision ID: c0a5e0000021
-- Revises: c0a5e0000020
-- Create Date: 2026-11-24 00:21:00

-- upgrade

CREATE OR REPLACE PROCEDURE add_area(w int) BEGIN ATOMIC
    INSERT INTO area (w, h) VALUES (w, CASE w WHEN 1 THEN 1 ELSE CASE WHEN w > 5 THEN 2 ELSE 3 END END);
    DELETE FROM area WHERE false;
END;
COMMENT ON PROCEDURE add_area(int) IS 'begin; end';

-- downgrade

DROP PROCEDURE add_area(int);

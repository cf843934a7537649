-- Do
--
-- Revision ID: c0a5e0000049
-- Revises: c0a5e0000048
-- Create Date: 2026-11-24 00:49:00

-- upgrade

DO $do$ BEGIN EXECUTE 'CREATE TABLE done (n int)'; FOR i IN 1..3 LOOP INSERT INTO done VALUES (i); END LOOP; END $do$;

-- downgrade

DO LANGUAGE plpgsql 'BEGIN DROP TABLE done; END';

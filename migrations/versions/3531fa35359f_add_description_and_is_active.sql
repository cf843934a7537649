-- Add description and is_active
--
-- Revision ID: 3531fa35359f
-- Revises: 6c369edd2a4c
-- Create Date: 2020-03-04 00:00:00

-- upgrade

-- lint: allow changing-type the original's tables are small, and the id must become bigint at once
ALTER TABLE campaign
    ALTER COLUMN id TYPE BIGINT,
    ADD COLUMN description TEXT DEFAULT '' NOT NULL,
    ADD COLUMN is_active BOOLEAN DEFAULT true NOT NULL;
ALTER SEQUENCE campaign_id_seq AS BIGINT;

CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- lint: allow index-without-concurrently the original's tables are small
CREATE INDEX campaign_name_trgm_idx ON campaign USING gin (name gin_trgm_ops);
-- lint: allow index-without-concurrently the original's tables are small
CREATE INDEX campaign_is_active_id_idx ON campaign (is_active, id);
-- lint: allow index-without-concurrently the original's tables are small
CREATE INDEX campaign_created_on_id_idx ON campaign (created_on, id);

-- downgrade

DROP INDEX campaign_created_on_id_idx;
DROP INDEX campaign_is_active_id_idx;
DROP INDEX campaign_name_trgm_idx;
ALTER SEQUENCE campaign_id_seq AS INTEGER;
ALTER TABLE campaign
    DROP COLUMN is_active,
    DROP COLUMN description,
    ALTER COLUMN id TYPE INTEGER;

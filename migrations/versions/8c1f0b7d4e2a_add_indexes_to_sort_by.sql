-- Add indexes to sort by
--
-- Each is dropped first: one that an interrupted run has left is invalid.
--
-- Revision ID: 8c1f0b7d4e2a
-- Revises: 5b8e2c9f1a47
-- Create Date: 2026-11-24 15:10:00

-- upgrade

-- outside transaction
DROP INDEX CONCURRENTLY IF EXISTS campaign_name_id_idx;
CREATE INDEX CONCURRENTLY campaign_name_id_idx ON campaign (name, id);
DROP INDEX CONCURRENTLY IF EXISTS campaign_name_desc_id_idx;
CREATE INDEX CONCURRENTLY campaign_name_desc_id_idx ON campaign (name DESC, id);
DROP INDEX CONCURRENTLY IF EXISTS campaign_created_on_desc_id_idx;
CREATE INDEX CONCURRENTLY campaign_created_on_desc_id_idx ON campaign (created_on DESC, id);
DROP INDEX CONCURRENTLY IF EXISTS campaign_updated_on_id_idx;
CREATE INDEX CONCURRENTLY campaign_updated_on_id_idx ON campaign (updated_on, id);
DROP INDEX CONCURRENTLY IF EXISTS campaign_updated_on_desc_id_idx;
CREATE INDEX CONCURRENTLY campaign_updated_on_desc_id_idx ON campaign (updated_on DESC, id);

-- downgrade

DROP INDEX campaign_updated_on_desc_id_idx;
DROP INDEX campaign_updated_on_id_idx;
DROP INDEX campaign_created_on_desc_id_idx;
DROP INDEX campaign_name_desc_id_idx;
DROP INDEX campaign_name_id_idx;

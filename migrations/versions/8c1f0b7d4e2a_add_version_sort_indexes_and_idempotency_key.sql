-- Add version, indexes to sort by, and idempotency_key
--
-- Revision ID: 8c1f0b7d4e2a
-- Revises: 3531fa35359f
-- Create Date: 2026-11-24 15:00:00

-- upgrade

ALTER TABLE campaign ADD COLUMN version BIGINT DEFAULT 1 NOT NULL;

CREATE TABLE idempotency_key (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request BYTEA NOT NULL,
    answer JSONB NOT NULL,
    created_on TIMESTAMP WITHOUT TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_key_created_on_idx ON idempotency_key (created_on);

-- outside transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_name_id_idx ON campaign (name, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_name_desc_id_idx ON campaign (name DESC, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_created_on_desc_id_idx ON campaign (created_on DESC, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_updated_on_id_idx ON campaign (updated_on, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_updated_on_desc_id_idx ON campaign (updated_on DESC, id);
-- inside transaction

-- downgrade

DROP INDEX campaign_updated_on_desc_id_idx;
DROP INDEX campaign_updated_on_id_idx;
DROP INDEX campaign_created_on_desc_id_idx;
DROP INDEX campaign_name_desc_id_idx;
DROP INDEX campaign_name_id_idx;
DROP TABLE idempotency_key;
ALTER TABLE campaign DROP COLUMN version;

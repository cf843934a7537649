-- Add version and idempotency_key
--
-- Revision ID: 5b8e2c9f1a47
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

-- downgrade

DROP TABLE idempotency_key;
ALTER TABLE campaign DROP COLUMN version;

-- Add api_key
--
-- Revision ID: a41c7e0d92b5
-- Revises: 8c1f0b7d4e2a
-- Create Date: 2026-11-29 17:20:00

-- upgrade

CREATE TABLE api_key (
    id BIGSERIAL NOT NULL,
    name VARCHAR(100) NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('reader', 'editor', 'admin')),
    hash BYTEA NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_on TIMESTAMP WITHOUT TIME ZONE DEFAULT now() NOT NULL,
    expires_on TIMESTAMP WITHOUT TIME ZONE,
    last_used_on TIMESTAMP WITHOUT TIME ZONE,
    revoked_on TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (id)
);

-- downgrade

DROP TABLE api_key;

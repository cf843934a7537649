-- Rule that does nothing
--
-- Revision ID: c0a5e0000025
-- Revises: c0a5e0000024
-- Create Date: 2026-11-24 00:25:00

-- upgrade

CREATE RULE no_delete AS ON DELETE TO counted DO INSTEAD NOTHING;

-- downgrade

DROP RULE no_delete ON counted;

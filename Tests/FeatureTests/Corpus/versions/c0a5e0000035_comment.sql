-- Comment
--
-- Revision ID: c0a5e0000035
-- Revises: c0a5e0000034
-- Create Date: 2026-11-24 00:35:00

-- upgrade

COMMENT ON TABLE customer IS 'who pays; -- or not';
COMMENT ON COLUMN customer.note IS $$dollar; 'quoted'$$;

-- downgrade

COMMENT ON TABLE customer IS NULL;
COMMENT ON COLUMN customer.note IS NULL;

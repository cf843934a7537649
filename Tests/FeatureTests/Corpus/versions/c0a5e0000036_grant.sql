-- Grant
--
-- Revision ID: c0a5e0000036
-- Revises: c0a5e0000035
-- Create Date: 2026-11-24 00:36:00

-- upgrade

GRANT SELECT ON customer TO PUBLIC;
GRANT SELECT (w), UPDATE (h) ON area TO PUBLIC;
REVOKE EXECUTE ON FUNCTION plus(int, int) FROM PUBLIC;

-- downgrade

GRANT EXECUTE ON FUNCTION plus(int, int) TO PUBLIC;
REVOKE SELECT (w), UPDATE (h) ON area FROM PUBLIC;
REVOKE SELECT ON customer FROM PUBLIC;

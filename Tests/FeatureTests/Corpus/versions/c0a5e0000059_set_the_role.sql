-- Set the role
--
-- Revision ID: c0a5e0000059
-- Revises: c0a5e0000058
-- Create Date: 2026-11-24 00:59:00

-- upgrade

SET ROLE pg_read_all_data;
SELECT count(*) FROM customer;
SET LOCAL work_mem = '8MB';
SELECT set_config('timezone', 'Asia/Tokyo', false);

-- downgrade

SET SESSION AUTHORIZATION DEFAULT;

-- Index an expression
--
-- Revision ID: c0a5e0000030
-- Revises: c0a5e0000029
-- Create Date: 2026-11-24 00:30:00

-- upgrade

CREATE INDEX customer_lower ON customer (lower(name) text_pattern_ops, (id % 7) DESC NULLS LAST);

-- downgrade

DROP INDEX customer_lower;

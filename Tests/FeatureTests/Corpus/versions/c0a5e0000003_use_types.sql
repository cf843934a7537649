-- Use types
--
-- Revision ID: c0a5e0000003
-- Revises: c0a5e0000002
-- Create Date: 2026-11-24 00:03:00

-- upgrade

CREATE TABLE types (
    a smallint, b integer, c bigint, d numeric(10, 2), e real, f double precision, g boolean, h char(3), i varchar, j text,
    k bytea, l date, m time, n timetz, o timestamp(3), p timestamptz, q interval, r uuid, s json, t jsonb, u int[], v inet,
    w macaddr, x point, y tsvector, z int4range, aa bit(3), ab xml, ac money, ad text[][]
);

-- downgrade

DROP TABLE types;

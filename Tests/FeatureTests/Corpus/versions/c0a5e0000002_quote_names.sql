-- Quote names
--
-- Revision ID: c0a5e0000002
-- Revises: c0a5e0000001
-- Create Date: 2026-11-24 00:02:00

-- upgrade

CREATE TABLE "Order; Line" ("select" int, "semi;colon" text DEFAULT 'a;b', "quote""d" int);
COMMENT ON COLUMN "Order; Line"."quote""d" IS 'it''s; quoted';

-- downgrade

DROP TABLE "Order; Line";

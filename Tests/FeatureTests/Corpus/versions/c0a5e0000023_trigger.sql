-- Trigger
--
-- Revision ID: c0a5e0000023
-- Revises: c0a5e0000022
-- Create Date: 2026-11-24 00:23:00

-- upgrade

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.note := 'seen;'; RETURN NEW; END$$;
CREATE TRIGGER customer_touch BEFORE UPDATE ON customer FOR EACH ROW WHEN (OLD.note IS NULL) EXECUTE FUNCTION touch();

-- downgrade

DROP TRIGGER customer_touch ON customer;
DROP FUNCTION touch();

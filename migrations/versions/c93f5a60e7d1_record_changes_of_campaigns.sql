-- Record changes of campaigns
--
-- The function runs as its owner, so that the role of the application needs no right to write records, and can change none.
--
-- Revision ID: c93f5a60e7d1
-- Revises: a41c7e0d92b5
-- Create Date: 2026-11-29 17:40:00

-- upgrade

CREATE TABLE change_record (
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    id BIGSERIAL NOT NULL,
    operation TEXT NOT NULL CHECK (operation IN ('insert', 'update', 'delete')),
    author TEXT,
    request_id TEXT,
    changed_on TIMESTAMP WITHOUT TIME ZONE DEFAULT now() NOT NULL,
    before JSONB,
    after JSONB,
    PRIMARY KEY (table_name, row_id, id)
);
CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    -- The request's id, a space, and the client's name.
    author TEXT := NULLIF(current_setting('aktify.author', true), '');
    request TEXT := split_part(author, ' ', 1);
    old_row JSONB := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row JSONB := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
    -- What comes by no request comes from a role of Postgres's.
    INSERT INTO change_record (table_name, row_id, operation, author, request_id, before, after)
    VALUES (
        TG_TABLE_NAME, COALESCE(new_row, old_row) ->> TG_ARGV[0], lower(TG_OP),
        CASE WHEN author IS NULL THEN 'role:' || session_user ELSE NULLIF(substr(author, length(request) + 2), '') END,
        request, old_row, new_row
    );
    RETURN NULL;
END
$$;
-- Who may make a trigger of his own with it may forge records.
REVOKE EXECUTE ON FUNCTION record_change() FROM PUBLIC;
CREATE TRIGGER campaign_record_change AFTER INSERT OR UPDATE OR DELETE ON campaign
    FOR EACH ROW EXECUTE FUNCTION record_change('id');

-- downgrade

DROP TRIGGER campaign_record_change ON campaign;
DROP FUNCTION record_change();
DROP TABLE change_record;

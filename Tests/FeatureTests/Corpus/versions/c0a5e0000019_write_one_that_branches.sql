-- Write one that branches
--
-- Revision ID: c0a5e0000019
-- Revises: c0a5e0000018
-- Create Date: 2026-11-24 00:19:00

-- upgrade

CREATE FUNCTION sign_of(n int) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    IF n < 0 THEN RETURN $$minus; $$; END IF;
    BEGIN
        RETURN CASE WHEN n = 0 THEN 'zero;' ELSE 'plus' END;
    EXCEPTION WHEN OTHERS THEN
        RETURN 'never'; -- COMMIT;
    END;
END;
$body$;

-- downgrade

DROP FUNCTION sign_of(int);

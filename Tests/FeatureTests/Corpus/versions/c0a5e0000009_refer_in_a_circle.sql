-- Refer in a circle
--
-- Revision ID: c0a5e0000009
-- Revises: c0a5e0000008
-- Create Date: 2026-11-24 00:09:00

-- upgrade

CREATE TABLE head (id int PRIMARY KEY, tail_id int);
CREATE TABLE tail (id int PRIMARY KEY, head_id int REFERENCES head (id) ON DELETE CASCADE);
ALTER TABLE head ADD CONSTRAINT head_tail_id_fkey FOREIGN KEY (tail_id) REFERENCES tail (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
INSERT INTO head VALUES (1, 1);
INSERT INTO tail VALUES (1, 1);

-- downgrade

ALTER TABLE head DROP CONSTRAINT head_tail_id_fkey;
DROP TABLE tail, head;

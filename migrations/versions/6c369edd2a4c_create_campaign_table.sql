-- Create Campaign table
--
-- Revision ID: 6c369edd2a4c
-- Revises:
-- Create Date: 2020-03-03 00:00:00

-- upgrade

-- lint: allow small-key this is the original's table, to the letter; the next revision widens the key
CREATE TABLE campaign (
    id SERIAL NOT NULL,
    name VARCHAR(255) NOT NULL,
    created_on TIMESTAMP WITHOUT TIME ZONE DEFAULT now() NOT NULL,
    updated_on TIMESTAMP WITHOUT TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);

-- downgrade

DROP TABLE campaign;

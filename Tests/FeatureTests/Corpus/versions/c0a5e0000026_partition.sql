-- Partition
--
-- Revision ID: c0a5e0000026
-- Revises: c0a5e0000025
-- Create Date: 2026-11-24 00:26:00

-- upgrade

CREATE TABLE event (id int, at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_rest PARTITION OF event DEFAULT PARTITION BY LIST (kind);
CREATE TABLE event_a PARTITION OF event_rest FOR VALUES IN ('a;', 'b');
CREATE INDEX event_at ON event (at);
INSERT INTO event VALUES (1, '2025-03-01', 'a'), (2, '2026-03-01', 'b');

-- downgrade

DROP TABLE event;

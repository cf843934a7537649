-- Move rows
--
-- Revision ID: c0a5e0000065
-- Revises: c0a5e0000064
-- Create Date: 2026-11-24 01:05:00

-- upgrade

INSERT INTO customer (name, created, token) SELECT 'Customer ' || n, '2026-01-01', NULL FROM generate_series(1, 50) n;
INSERT INTO customer (id, name, note, created, token) VALUES (1, 'x', 'x', '2026-01-01', NULL) ON CONFLICT (id) DO UPDATE SET note = 'again;';
WITH gone AS (SELECT id FROM customer WHERE id > 40) UPDATE customer SET code = 'z;' FROM gone WHERE gone.id = customer.id;

-- downgrade

DELETE FROM customer;
SELECT setval('customer_id_seq', 1, false);

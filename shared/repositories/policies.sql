-- name: version()^
-- Which policies are kept.
SELECT version FROM registry.policy_set WHERE is_only;

-- name: read()^
-- The policies that are kept and their version, as of one moment.
SELECT version, ARRAY(SELECT policy FROM registry.policies ORDER BY name) AS items
FROM registry.policy_set
WHERE is_only;

-- name: get(name)^
SELECT policy AS item FROM registry.policies WHERE name = :name;

-- name: limit_waiting_for_actors()!
-- Whoever acts may be waiting for the store.
SET LOCAL lock_timeout = '30s';

-- name: wait_for_actors()^
-- Nobody archives, deletes or purges anything until the transaction ends: see registry.place_hold.
SELECT pg_advisory_xact_lock(hashtext('registry.holds'), 0);

-- name: hold()^
-- Keep everybody else from changing policies until the transaction ends; nobody is kept from reading them.
SELECT version FROM registry.policy_set WHERE is_only FOR NO KEY UPDATE;

-- name: keep(items)!
-- Add policies, or replace those of the same names.
INSERT INTO registry.policies (name, policy, age_seconds)
SELECT name, policy, age_microseconds / 1000000
FROM json_to_recordset(:items) AS kept (name text, policy json, age_microseconds numeric)
ON CONFLICT (name) DO UPDATE SET policy = excluded.policy, age_seconds = excluded.age_seconds;

-- name: remove(names)!
DELETE FROM registry.policies WHERE name = ANY(:names);

-- name: advance()^
-- Say that the policies are others now.
UPDATE registry.policy_set SET version = version + 1 WHERE is_only RETURNING version;

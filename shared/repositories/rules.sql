-- name: version()^
-- Which rules are in force.
SELECT version FROM registry.ingestion_rule_set WHERE is_only;

-- name: read()^
-- The rules in force and their version, as of one moment.
SELECT version, ARRAY(SELECT rule FROM registry.ingestion_rules ORDER BY name) AS rules
FROM registry.ingestion_rule_set
WHERE is_only;

-- name: get(name)^
SELECT rule FROM registry.ingestion_rules WHERE name = :name;

-- name: limit_waiting()!
-- A change that another transaction holds up is given up after a while.
SET LOCAL lock_timeout = '10s';

-- name: hold()^
-- Keep everybody else from changing rules until the transaction ends; nobody is kept from reading them.
SELECT version FROM registry.ingestion_rule_set WHERE is_only FOR NO KEY UPDATE;

-- name: keep(rules)!
-- Add rules, or replace those of the same names.
INSERT INTO registry.ingestion_rules (name, rule)
SELECT rule ->> 'name', rule FROM json_array_elements(:rules) AS rule
ON CONFLICT (name) DO UPDATE SET rule = excluded.rule;

-- name: remove(names)!
DELETE FROM registry.ingestion_rules WHERE name = ANY(:names);

-- name: advance()^
-- Say that the rules are others now.
UPDATE registry.ingestion_rule_set SET version = version + 1 WHERE is_only RETURNING version;

-- name: record_events(occurred_at, actor, request_id, events)!
-- What happened to each rule, in this order; it concerns no asset.
INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, details)
SELECT :occurred_at, event ->> 'operation', :actor, CAST(:request_id AS text), event -> 'details'
FROM jsonb_array_elements(:events) WITH ORDINALITY AS told (event, place)
ORDER BY place;

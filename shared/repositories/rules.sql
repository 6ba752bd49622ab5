-- name: version()^
-- Which rules are in force.
SELECT version FROM registry.ingestion_rule_set WHERE is_only;

-- name: read()^
-- The rules in force and their version, as of one moment.
SELECT version, ARRAY(SELECT rule FROM registry.ingestion_rules ORDER BY name) AS items
FROM registry.ingestion_rule_set
WHERE is_only;

-- name: get(name)^
SELECT rule AS item FROM registry.ingestion_rules WHERE name = :name;

-- name: hold()^
-- Keep everybody else from changing rules until the transaction ends; nobody is kept from reading them.
SELECT version FROM registry.ingestion_rule_set WHERE is_only FOR NO KEY UPDATE;

-- name: keep(items)!
-- Add rules, or replace those of the same names.
INSERT INTO registry.ingestion_rules (name, rule)
SELECT rule ->> 'name', rule FROM json_array_elements(:items) AS rule
ON CONFLICT (name) DO UPDATE SET rule = excluded.rule;

-- name: remove(names)!
DELETE FROM registry.ingestion_rules WHERE name = ANY(:names);

-- name: advance()^
-- Say that the rules are others now.
UPDATE registry.ingestion_rule_set SET version = version + 1 WHERE is_only RETURNING version;

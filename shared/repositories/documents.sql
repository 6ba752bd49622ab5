-- name: limit_waiting()!
-- A change that another transaction holds up is given up after a while.
SET LOCAL lock_timeout = '10s';

-- name: record_events(occurred_at, actor, request_id, events)!
-- What happened to each item, in this order; it concerns no asset.
INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, details)
SELECT :occurred_at, event ->> 'operation', :actor, CAST(:request_id AS text), event -> 'details'
FROM jsonb_array_elements(:events) WITH ORDINALITY AS told (event, place)
ORDER BY place;

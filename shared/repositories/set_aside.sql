-- name: hold(set_aside_id)^
-- What became of a message that was set aside before; no row where it was not. Nobody changes it meanwhile.
SELECT state FROM registry.set_aside_messages WHERE set_aside_id = :set_aside_id FOR NO KEY UPDATE;

-- name: set_aside(set_aside_id, source, body, reason, explanation, delivery_id, set_aside_at)^
-- Keep a message that can never succeed. The same bytes again are the same row, open again; but a repeated
-- delivery of one message is no other message, and opens nothing that has ended.
INSERT INTO registry.set_aside_messages AS known
    (set_aside_id, source, body, reason, explanation, delivery_id, set_aside_at)
VALUES (:set_aside_id, :source, :body, :reason, :explanation, :delivery_id, :set_aside_at)
ON CONFLICT (set_aside_id) DO UPDATE
SET reason = excluded.reason, explanation = excluded.explanation, delivery_id = excluded.delivery_id,
    state = 'open', ended_at = NULL, ended_by = NULL,
    arrivals = CASE WHEN known.delivery_id = excluded.delivery_id THEN known.arrivals ELSE known.arrivals + 1 END,
    set_aside_at = CASE WHEN known.delivery_id = excluded.delivery_id THEN known.set_aside_at
                        ELSE excluded.set_aside_at END
WHERE known.state IN ('open', 'replaying') OR (known.delivery_id = excluded.delivery_id) IS NOT TRUE
-- A row that was there has been locked before it is changed.
RETURNING xmax = 0 AS is_new;

-- name: get(set_aside_id)^
SELECT set_aside_id, source, reason, explanation, state, set_aside_at, replays, last_tried_at, ended_at, ended_by,
       body
FROM registry.set_aside_messages
WHERE set_aside_id = :set_aside_id;

-- name: page(state, source, reason, before_at, before_id, limit)
-- Messages of one state, newest first; null asks for any source, or any reason. Kinds are few, and are found by
-- leaping from one to the next in the index; a page is put together of one of each.
WITH RECURSIVE kinds AS (
    (SELECT source, reason FROM registry.set_aside_messages
     WHERE state = :state ORDER BY source, reason LIMIT 1)
    UNION ALL
    SELECT following.source, following.reason
    FROM kinds CROSS JOIN LATERAL (
        SELECT source, reason FROM registry.set_aside_messages
        WHERE state = :state AND (source, reason) > (kinds.source, kinds.reason)
        ORDER BY source, reason LIMIT 1
    ) AS following
)
SELECT message.*
FROM kinds CROSS JOIN LATERAL (
    SELECT set_aside_id, source, reason, explanation, state, set_aside_at, replays, last_tried_at, ended_at,
           ended_by
    FROM registry.set_aside_messages
    WHERE state = :state AND source = kinds.source AND reason = kinds.reason
      AND (set_aside_at, set_aside_id) < (CAST(:before_at AS timestamptz), :before_id)
    ORDER BY set_aside_at DESC, set_aside_id DESC
    LIMIT :limit
) AS message
WHERE kinds.source = coalesce(:source, kinds.source) AND kinds.reason = coalesce(:reason, kinds.reason)
ORDER BY message.set_aside_at DESC, message.set_aside_id DESC
LIMIT :limit;

-- name: count_open(most)^
-- How many messages nobody dealt with yet, of very many that there are so many; in an index's order, whichever
-- state most of them have.
SELECT count(*) AS messages FROM (
    SELECT FROM registry.set_aside_messages WHERE state = 'open' ORDER BY source, reason, set_aside_at LIMIT :most
) AS counted;

-- name: mark_asked(set_aside_ids, replays)!
-- Say of messages that their replay was asked for, but not of those that were taken again or ended since they
-- had been replayed so often. Locked in one order, so that no two such statements wait for each other.
WITH held AS (
    SELECT set_aside_id
    FROM registry.set_aside_messages
    JOIN unnest(CAST(:set_aside_ids AS uuid[]), CAST(:replays AS integer[]))
        AS asked (set_aside_id, replays) USING (set_aside_id, replays)
    WHERE state = 'open'
    ORDER BY set_aside_id
    FOR NO KEY UPDATE OF set_aside_messages
)
UPDATE registry.set_aside_messages AS known SET state = 'replaying'
FROM held WHERE known.set_aside_id = held.set_aside_id;

-- name: begin_replay(set_aside_id, source, at)^
-- The message, unless it has ended or came from another source.
UPDATE registry.set_aside_messages
SET state = 'replaying', replays = replays + 1, last_tried_at = :at
WHERE set_aside_id = :set_aside_id AND source = :source AND state IN ('open', 'replaying')
RETURNING body, delivery_id, arrivals, set_aside_at;

-- name: knows(set_aside_id, source)^
SELECT EXISTS (
    SELECT FROM registry.set_aside_messages WHERE set_aside_id = :set_aside_id AND source = :source
) AS is_known;

-- name: open_again(set_aside_id, source, arrivals, reason, explanation)^
-- A replay failed. What ended meanwhile, or was set aside anew, is not its to change; null where nobody knows
-- any more which time it was.
UPDATE registry.set_aside_messages
SET state = 'open', reason = :reason, explanation = :explanation
WHERE set_aside_id = :set_aside_id AND source = :source AND state IN ('open', 'replaying')
  AND (CAST(:arrivals AS integer) IS NULL OR arrivals = :arrivals)
RETURNING set_aside_id;

-- name: end_replay(set_aside_id, arrivals, at, actor)^
-- A replay succeeded: the message was of use after all, even if it was discarded meanwhile.
UPDATE registry.set_aside_messages
SET state = 'replayed', ended_at = :at, ended_by = :actor
WHERE set_aside_id = :set_aside_id AND arrivals = :arrivals AND state <> 'replayed'
RETURNING set_aside_id;

-- name: discard(set_aside_id, at, actor)^
UPDATE registry.set_aside_messages
SET state = 'discarded', ended_at = :at, ended_by = :actor
WHERE set_aside_id = :set_aside_id AND state IN ('open', 'replaying')
RETURNING set_aside_id;

-- name: record_events(operation, set_aside_ids, at, actor, request_id)!
-- What happened to messages that were set aside; it concerns no asset.
INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, details)
SELECT :at, :operation, :actor, :request_id,
       jsonb_build_object('set_aside_id', set_aside_id, 'source', source, 'reason', reason)
FROM registry.set_aside_messages
WHERE set_aside_id = ANY (:set_aside_ids);

-- name: record_failure(set_aside_id, operation, action, at, actor, request_id)!
-- Likewise of what came to nothing: why is what the message was set aside for.
INSERT INTO registry.outbox (occurred_at, operation, action, actor, request_id, success, error, details)
SELECT :at, :operation, :action, :actor, :request_id, false,
       left(replace(reason, '_', '-') || ': ' || explanation, 2000),
       jsonb_build_object('set_aside_id', set_aside_id, 'source', source, 'reason', reason)
FROM registry.set_aside_messages
WHERE set_aside_id = :set_aside_id;

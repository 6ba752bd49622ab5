-- name: end()^
-- Where the trail ends.
SELECT number, recorded_at FROM registry.trail_end;

-- name: lock_end()^
-- Where the trail ends; whoever numbers events waits for whoever does so already.
SELECT number, recorded_at FROM registry.trail_end FOR UPDATE;

-- name: take_end()^
-- The same; nothing where somebody else numbers events.
SELECT number, recorded_at FROM registry.trail_end FOR UPDATE SKIP LOCKED;

-- name: limit_waiting()!
SET LOCAL lock_timeout = '10s';

-- name: shard_ends()
-- The last event of each shard: its number and its hash.
SELECT shard, number, hash FROM registry.trail_shards;

-- name: next_events(most, most_bytes)
-- What has no number yet, in the order of commits: see registry.next_events.
SELECT * FROM registry.next_events(:most, :most_bytes);

-- name: number_events(events)!
-- Keep what was numbered: see registry.number_events.
SELECT registry.number_events(:events);

-- name: begin_writing(now, busy_until)^
-- Keep others from writing for a while; nothing where somebody else writes.
UPDATE registry.trail_end SET busy_until = :busy_until WHERE busy_until <= :now RETURNING number;

-- name: end_writing()!
UPDATE registry.trail_end SET busy_until = '-infinity';

-- name: waiting(most, most_bytes)
-- What is numbered and not written, in order; not many where they are large, but one.
SELECT event
FROM (SELECT number, event, sum(octet_length(event)) OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) AS bytes
      FROM (SELECT number, event FROM registry.trail_waiting ORDER BY number LIMIT :most) AS first_of_them) AS summed
WHERE bytes - octet_length(event) <= :most_bytes
ORDER BY number;

-- name: forget_waiting(numbers)!
DELETE FROM registry.trail_waiting WHERE number = ANY (:numbers);

-- name: behind(most)^
-- How many events wait, of very many that there are more, and since when the oldest of them.
SELECT unnumbered.count + unwritten.count AS waiting,
       least(
           (SELECT event.occurred_at FROM registry.commits AS done JOIN registry.outbox AS event USING (transaction_id)
            ORDER BY done.number, event.position LIMIT 1),
           (SELECT event.recorded_at FROM registry.trail_waiting AS numbered JOIN registry.trail AS event USING (number)
            ORDER BY numbered.number LIMIT 1)) AS since
FROM (SELECT count(*) FROM (SELECT FROM registry.outbox ORDER BY position LIMIT :most) AS first_of_them) AS unnumbered,
     (SELECT count(*) FROM (SELECT FROM registry.trail_waiting ORDER BY number LIMIT :most) AS first_of_them) AS unwritten;

-- name: record_recovery(occurred_at, actor, request_id, details)!
-- The database knows again what was in the table.
INSERT INTO registry.outbox (occurred_at, operation, action, actor, request_id, details)
VALUES (:occurred_at, 'audit_trail_recovered', 'recover', :actor, :request_id, :details);

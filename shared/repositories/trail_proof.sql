-- name: state()
-- Where the trail ends, up to which event all are written into its table, and the shards' ends, at one instant. What
-- was sealed had been written, whatever is said to be waiting.
SELECT trail_end.number,
       greatest(
           coalesce((SELECT min(number) - 1 FROM registry.trail_waiting), trail_end.number),
           (SELECT last_number FROM registry.trail_days WHERE seal IS NOT NULL ORDER BY day DESC LIMIT 1)) AS written,
       last.shard, last.number AS shard_number, last.hash
FROM registry.trail_end LEFT JOIN registry.trail_shards AS last ON true;

-- name: beyond()^
-- The first event of which there is a digest, though the trail ends before it.
SELECT number FROM registry.trail WHERE number > (SELECT number FROM registry.trail_end) ORDER BY number LIMIT 1;

-- name: days(first_day, last_day, most)
-- Days with events, in order.
SELECT day, first_number, last_number, seal FROM registry.trail_days
WHERE day >= :first_day AND day <= :last_day ORDER BY day LIMIT :most;

-- name: day_before(day)^
-- The last day with events before one.
SELECT day, first_number, last_number, seal FROM registry.trail_days WHERE day < :day ORDER BY day DESC LIMIT 1;

-- name: first_unsealed()^
-- The oldest day that has no seal.
SELECT day, first_number, last_number, seal FROM registry.trail_days WHERE seal IS NULL ORDER BY day LIMIT 1;

-- name: digests(after, last, most)
-- What is kept of events, in order.
SELECT number, event_id, recorded_at, shard, artifact_id, hash FROM registry.trail
WHERE number > :after AND number <= :last ORDER BY number LIMIT :most;

-- name: digests_of_shard(shard, first, below, most)
-- The same of one shard, newest first.
SELECT number, event_id, recorded_at, shard, artifact_id, hash FROM registry.trail
WHERE number >= :first AND number < :below AND shard = :shard ORDER BY number DESC LIMIT :most;

-- name: digests_of(numbers)
SELECT number, event_id, recorded_at, shard, artifact_id, hash FROM registry.trail WHERE number = ANY (:numbers);

-- name: close_day(until)!
-- No event takes its place before this any more. The caller holds the row.
UPDATE registry.trail_end SET recorded_at = greatest(recorded_at, :until);

-- name: keep_seal(day, seal, sealed_at)!
UPDATE registry.trail_days SET seal = :seal, sealed_at = :sealed_at WHERE day = :day AND seal IS NULL;

-- name: dropped_months()
-- Months whose events are exported and gone.
SELECT month FROM registry.trail_months WHERE dropped_at IS NOT NULL ORDER BY month;

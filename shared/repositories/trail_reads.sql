-- name: written_end()^
-- The number below which every event is written into the table.
SELECT coalesce((SELECT min(number) FROM registry.trail_waiting), (SELECT number + 1 FROM registry.trail_end)) AS number;

-- name: days(until, most)
-- Days of the trail whose tables are there, the latest first.
SELECT day, first_number, last_number, earliest, latest
FROM registry.trail_days AS known
WHERE day <= :until
  AND NOT EXISTS (SELECT FROM registry.trail_months AS dropped
                  WHERE dropped.month = date_trunc('month', known.day::timestamp)::date AND dropped.dropped_at IS NOT NULL)
ORDER BY day DESC LIMIT :most;

-- name: recorded_at(numbers)
-- When events took their places.
SELECT number, recorded_at FROM registry.trail WHERE number = ANY (:numbers);

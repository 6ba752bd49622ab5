-- name: limit_time(timeout)
-- Give each statement until commit so much time.
SELECT set_config('statement_timeout', :timeout, true);

-- name: simulate(policy, age_seconds, since, until, after_id, limit)
-- When a policy would have acted on each of the next artifacts: see registry.simulated_page.
SELECT artifact_id, acted_at, bytes FROM registry.simulated_page(
    :policy, make_interval(secs => :age_seconds), :since, :until, :after_id, :limit);

-- name: forecast(policy, age_seconds, stream, since, until, after_at, after_id, limit)
-- When a policy acts on what a stream will have due: see registry.forecast_page.
SELECT artifact_id, clock_at, acted_at, bytes FROM registry.forecast_page(
    :policy, make_interval(secs => :age_seconds), :stream, :since, :until, :after_at, :after_id, :limit);

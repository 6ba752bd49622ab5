-- name: begin(request)^
-- Begin a run, or skip it: see registry.begin_policy_run.
SELECT begun.run_id, begun.policy_name AS policy, begun.started_by, begun.started_at, begun.ended_at, begun.skipped_for,
    begun.selected, begun.acted, begun.bytes, begun.refused, begun.errors, begun.last_errors
FROM registry.begin_policy_run(:request) AS begun;

-- name: claim_due(run_id, streams, limit, at, first_send)^
-- Claim what is to be acted on among the next that are due: see registry.claim_due.
SELECT claimed, is_selecting FROM registry.claim_due(:run_id, :streams, :limit, :at, :first_send);

-- name: count_outcomes(run_id, limit, at)^
-- Count what was done of a run, and end it where nothing is left: see registry.count_outcomes.
SELECT counted.run_id, counted.policy_name AS policy, counted.started_by, counted.started_at, counted.ended_at,
    counted.skipped_for, counted.selected, counted.acted, counted.bytes, counted.refused, counted.errors, counted.last_errors
FROM registry.count_outcomes(:run_id, :limit, :at) AS counted;

-- name: under_way(limit)
-- Runs that have not ended, by the priority of their policies.
SELECT run_id, policy, is_selecting
FROM registry.policy_runs
WHERE ended_at IS NULL
ORDER BY (policy ->> 'priority')::integer, policy_name
LIMIT :limit;

-- name: get(run_id)^
SELECT run_id, policy_name AS policy, started_by, started_at, ended_at, skipped_for,
    selected, acted, bytes, refused, errors, last_errors
FROM registry.policy_runs
WHERE run_id = :run_id;

-- name: page(before_id, limit)
-- Runs, newest first.
SELECT run_id, policy_name AS policy, started_by, started_at, ended_at, skipped_for,
    selected, acted, bytes, refused, errors, last_errors
FROM registry.policy_runs
WHERE run_id < :before_id
ORDER BY run_id DESC
LIMIT :limit;

-- name: page_of_policy(policy, before_id, limit)
-- Those of one policy, newest first; also where the policy is there no more.
SELECT run_id, policy_name AS policy, started_by, started_at, ended_at, skipped_for,
    selected, acted, bytes, refused, errors, last_errors
FROM registry.policy_runs
WHERE policy_name = :policy AND run_id < :before_id
ORDER BY run_id DESC
LIMIT :limit;

-- name: is_due(streams, cutoff)^
-- Whether anything is due at all: an entry of an index for each stream.
SELECT EXISTS (
    SELECT FROM unnest(CAST(:streams AS text[])) AS stream
    CROSS JOIN LATERAL registry.due_entries(stream, :cutoff, '-infinity', '00000000-0000-0000-0000-000000000000', 1)
) AS is_due;

-- name: record_dry_run(occurred_at, actor, request_id, details)!
-- All that a dry run leaves behind.
INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, details)
VALUES (:occurred_at, 'policy_dry_run', :actor, CAST(:request_id AS text), :details);

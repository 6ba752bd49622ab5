-- What a policy meant to do and did not is told in the audit trail, once: where it is counted.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Count the outcomes of a run's claims, at most so many, and end the run where nothing is left of it. What found nothing
-- by its schedule leaves no trace. Answers with the run; null where there is none.
CREATE OR REPLACE FUNCTION registry.count_outcomes(of_run uuid, most integer, at timestamptz, OUT run registry.policy_runs)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
BEGIN
    SELECT * INTO run FROM registry.policy_runs AS known WHERE known.run_id = of_run FOR NO KEY UPDATE;
    IF run.run_id IS NULL OR run.ended_at IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT registry.policy_unchanged(run) THEN  -- what is still to be done would be refused one by one
        UPDATE registry.policy_actions AS claim SET outcome = 'refused', reason = 'policy changed'
        WHERE claim.artifact_id = ANY (ARRAY(
            SELECT of_claim.artifact_id FROM registry.policy_actions AS of_claim
            WHERE of_claim.run_id = of_run AND of_claim.outcome IS NULL
            ORDER BY of_claim.artifact_id LIMIT most FOR UPDATE SKIP LOCKED));
    END IF;
    WITH ended AS (
        DELETE FROM registry.policy_actions AS claim
        WHERE claim.artifact_id = ANY (ARRAY(
            SELECT of_claim.artifact_id FROM registry.policy_actions AS of_claim
            WHERE of_claim.run_id = of_run AND of_claim.outcome IS NOT NULL LIMIT most))
        RETURNING claim.artifact_id, claim.outcome, claim.reason, claim.bytes
    ), events AS (
        INSERT INTO registry.outbox
            (occurred_at, operation, action, actor, request_id, asset_id, artifact_id, run_id, success, error, details)
        SELECT at, 'status_update', CASE run.policy ->> 'kind' WHEN 'expire' THEN 'delete' ELSE run.policy ->> 'kind' END,
            'policy:' || run.policy_name, run.run_id::text, known.asset_id, ended.artifact_id, known.run_id, false,
            left('policy-' || ended.outcome || ': ' || coalesce(ended.reason, 'no reason was told'), 2000),
            jsonb_build_object('policy', run.policy_name, 'policy_run', run.run_id)
        FROM ended LEFT JOIN LATERAL (  -- OFFSET 0: each is looked up by its id
            SELECT * FROM registry.artifacts AS claimed WHERE claimed.artifact_id = ended.artifact_id OFFSET 0) AS known ON true
        WHERE ended.outcome <> 'acted' ORDER BY ended.artifact_id
    ), reasons AS (
        SELECT reason, count(*) AS times FROM ended WHERE outcome = 'refused' GROUP BY reason
    ), failed AS (
        SELECT artifact_id, reason FROM ended WHERE outcome = 'failed' ORDER BY artifact_id DESC LIMIT 20
    ), remembered AS (
        INSERT INTO registry.policy_failures (artifact_id, policy_name, failed_at)
        SELECT artifact_id, run.policy_name, at FROM ended WHERE outcome = 'failed'
        ON CONFLICT (artifact_id, policy_name) DO UPDATE SET failed_at = excluded.failed_at
    )
    UPDATE registry.policy_runs AS counted
    SET acted = counted.acted + (SELECT count(*) FROM ended WHERE outcome = 'acted'),
        bytes = counted.bytes + (SELECT coalesce(sum(ended.bytes), 0) FROM ended WHERE outcome = 'acted'),
        refused = registry.add_counts(counted.refused,
            (SELECT coalesce(jsonb_object_agg(reason, times), '{}') FROM reasons)),
        errors = counted.errors + (SELECT count(*) FROM ended WHERE outcome = 'failed'),
        last_errors = (SELECT coalesce(jsonb_agg(newest.told), '[]') FROM (
            SELECT jsonb_build_object('artifact_id', failed.artifact_id, 'detail', failed.reason) AS told FROM failed
            UNION ALL SELECT told FROM jsonb_array_elements(counted.last_errors) AS told
            LIMIT 20) AS newest)
    WHERE counted.run_id = of_run
    RETURNING counted.* INTO run;
    IF run.is_selecting OR EXISTS (SELECT FROM registry.policy_actions AS claim WHERE claim.run_id = of_run AND claim.outcome IS NULL)
        OR EXISTS (SELECT FROM registry.policy_actions AS claim WHERE claim.run_id = of_run AND claim.outcome IS NOT NULL) THEN
        RETURN;
    END IF;
    run.ended_at := at;
    IF run.is_scheduled AND run.selected = 0 AND run.refused = '{}' AND NOT EXISTS (
        SELECT FROM registry.policy_runs AS other
        WHERE other.policy_name = run.policy_name AND other.run_id > of_run AND other.skipped_for = of_run) THEN
        DELETE FROM registry.policy_runs AS empty WHERE empty.run_id = of_run;
        RETURN;
    END IF;
    UPDATE registry.policy_runs AS ended SET ended_at = at WHERE ended.run_id = of_run;
    INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, details)
    VALUES (at, 'policy_run', run.started_by, run.request_id, jsonb_build_object(
        'policy', run.policy_name, 'policy_run', run.run_id, 'acted', run.acted, 'bytes', run.bytes,
        'refused', run.refused, 'errors', run.errors));
END
$$;

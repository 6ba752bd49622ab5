-- What policies do: runs, and a claim on every artifact that is to be acted on.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE registry.policy_runs (
    run_id uuid PRIMARY KEY,
    policy_name text COLLATE "C" NOT NULL,
    -- As it was when the run began: what it is by now is asked before every action.
    policy jsonb NOT NULL,
    age_seconds numeric NOT NULL,
    is_scheduled boolean NOT NULL,
    started_by text NOT NULL CONSTRAINT policy_runs_started_by_length CHECK (char_length(started_by) BETWEEN 1 AND 255),
    request_id text,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- The run that was under way already, where this one was skipped.
    skipped_for uuid,
    -- Where selecting goes on: the stream, from 0, and the last entry that was looked at.
    is_selecting boolean NOT NULL DEFAULT true,
    stream integer NOT NULL DEFAULT 0,
    after_at timestamptz NOT NULL DEFAULT '-infinity',
    after_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    selected bigint NOT NULL DEFAULT 0,
    acted bigint NOT NULL DEFAULT 0,
    bytes numeric NOT NULL DEFAULT 0,
    refused jsonb NOT NULL DEFAULT '{}',
    errors bigint NOT NULL DEFAULT 0,
    last_errors jsonb NOT NULL DEFAULT '[]'
);
CREATE UNIQUE INDEX policy_runs_one_at_a_time ON registry.policy_runs (policy_name) WHERE ended_at IS NULL;
CREATE INDEX policy_runs_of_policy ON registry.policy_runs (policy_name, run_id);

-- A row stands for work that is wanted, until its outcome is counted. An artifact has one at a time.
CREATE TABLE registry.policy_actions (
    artifact_id uuid PRIMARY KEY,
    run_id uuid NOT NULL,
    -- When a message about it is to be sent, again if need be.
    send_after timestamptz NOT NULL,
    sends integer NOT NULL DEFAULT 0,
    -- Null until it was acted on; 'acted', 'refused', or 'failed'.
    outcome text CONSTRAINT policy_actions_outcome_known CHECK (outcome IN ('acted', 'refused', 'failed')),
    reason text,
    bytes bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX policy_actions_to_send ON registry.policy_actions (send_after, artifact_id) WHERE outcome IS NULL;
CREATE INDEX policy_actions_of_run ON registry.policy_actions (run_id, artifact_id) WHERE outcome IS NULL;
CREATE INDEX policy_actions_ended ON registry.policy_actions (run_id, artifact_id) WHERE outcome IS NOT NULL;

-- When a policy last failed on an artifact: by its schedule, it leaves that to others for a while.
CREATE TABLE registry.policy_failures (
    artifact_id uuid NOT NULL,
    policy_name text COLLATE "C" NOT NULL,
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (artifact_id, policy_name)
);

-- Whether the policy of a run is still kept as it was when that began.
CREATE FUNCTION registry.policy_unchanged(run registry.policy_runs) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM registry.policies AS now WHERE now.name = run.policy_name AND now.policy::jsonb = run.policy);
END
$$;

-- Begin a run: {run_id, policy, age_seconds, is_scheduled, origin, at}. Where one of the same policy is under way, this
-- one is skipped, and says for which.
CREATE FUNCTION registry.begin_policy_run(request jsonb, OUT run registry.policy_runs)
LANGUAGE plpgsql AS $$
DECLARE
    begun CONSTANT uuid := (request ->> 'run_id')::uuid;
    at CONSTANT timestamptz := (request ->> 'at')::timestamptz;
    other uuid;
BEGIN
    LOOP
        INSERT INTO registry.policy_runs AS new (
            run_id, policy_name, policy, age_seconds, is_scheduled, started_by, request_id, started_at,
            ended_at, skipped_for, is_selecting)
        VALUES (begun, request #>> '{policy,name}', request -> 'policy', (request ->> 'age_seconds')::numeric,
            (request ->> 'is_scheduled')::boolean, request #>> '{origin,actor}', request #>> '{origin,request_id}', at,
            CASE WHEN other IS NOT NULL THEN at END, other, other IS NULL)
        ON CONFLICT (policy_name) WHERE ended_at IS NULL DO NOTHING
        RETURNING new.* INTO run;
        EXIT WHEN run.run_id IS NOT NULL;
        SELECT known.run_id INTO other FROM registry.policy_runs AS known
        WHERE known.policy_name = request #>> '{policy,name}' AND known.ended_at IS NULL;
    END LOOP;
END
$$;

-- Counts of reasons, one set added to another.
CREATE FUNCTION registry.add_counts(one jsonb, other jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(sums.key, sums.total), '{}')
    FROM (SELECT key, sum(value::bigint) AS total
          FROM (SELECT * FROM jsonb_each_text(one) UNION ALL SELECT * FROM jsonb_each_text(other)) AS both_sets
          GROUP BY key) AS sums
$$;

-- Claim what is to be acted on among the next so many that are due of a run, and count what is left alone, and why.
-- Nothing is claimed, and `is_selecting` is null, where the run has ended or somebody else is at it.
CREATE FUNCTION registry.claim_due(
    of_run uuid, streams text[], most integer, at timestamptz, first_send timestamptz,
    OUT claimed uuid[], OUT is_selecting boolean
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    run registry.policy_runs;
    last_at timestamptz;
    last_id uuid;
    left_alone jsonb;
    looked_at integer;
BEGIN
    SELECT * INTO run FROM registry.policy_runs AS known
    WHERE known.run_id = of_run AND known.ended_at IS NULL AND known.is_selecting
    FOR NO KEY UPDATE SKIP LOCKED;
    IF run.run_id IS NULL THEN
        claimed := '{}';
        RETURN;
    ELSIF NOT registry.policy_unchanged(run) THEN
        claimed := '{}';
        is_selecting := false;
        UPDATE registry.policy_runs AS stopped SET is_selecting = false WHERE stopped.run_id = of_run;
        RETURN;
    ELSIF cardinality(streams) = 0 THEN
        claimed := '{}';  -- the policy is one that only another version of the registry can read
        RETURN;
    END IF;
    WITH page AS MATERIALIZED (
        SELECT * FROM registry.policy_page(run.policy, streams[run.stream + 1],
            run.started_at - make_interval(secs => run.age_seconds), at, run.after_at, run.after_id, most,
            is_told => false)
    ), failed_lately AS MATERIALIZED (
        SELECT page.artifact_id FROM page JOIN registry.policy_failures AS failure USING (artifact_id)
        WHERE run.is_scheduled AND page.verdict = ''
          AND failure.policy_name = run.policy_name AND failure.failed_at > at - interval '3 days'
    ), free AS MATERIALIZED (
        SELECT known.artifact_id FROM registry.artifacts AS known
        WHERE known.artifact_id = ANY (ARRAY(
            SELECT page.artifact_id FROM page WHERE page.verdict = ''
            EXCEPT SELECT failed_lately.artifact_id FROM failed_lately))
        FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        INSERT INTO registry.policy_actions AS new (artifact_id, run_id, send_after)
        SELECT free.artifact_id, of_run, first_send FROM free
        ON CONFLICT DO NOTHING RETURNING new.artifact_id
    ), reasons AS (
        SELECT CASE WHEN page.verdict <> '' THEN page.verdict
                    WHEN page.artifact_id IN (SELECT failed_lately.artifact_id FROM failed_lately) THEN 'failed lately'
                    ELSE 'in use' END AS reason, count(*) AS times
        FROM page LEFT JOIN taken USING (artifact_id)
        WHERE page.verdict <> '' OR page.verdict = '' AND taken.artifact_id IS NULL
        GROUP BY 1
    ), behind AS (
        SELECT page.clock_at, page.artifact_id FROM page ORDER BY page.clock_at DESC, page.artifact_id DESC LIMIT 1
    )
    SELECT ARRAY(SELECT taken.artifact_id FROM taken),
        (SELECT coalesce(jsonb_object_agg(reasons.reason, reasons.times), '{}') FROM reasons),
        (SELECT count(*) FROM page), behind.clock_at, behind.artifact_id
    INTO claimed, left_alone, looked_at, last_at, last_id
    FROM (SELECT) AS one LEFT JOIN behind ON true;
    is_selecting := looked_at = most OR run.stream + 1 < cardinality(streams);
    UPDATE registry.policy_runs AS advanced
    SET is_selecting = claim_due.is_selecting,
        stream = CASE WHEN looked_at = most THEN run.stream ELSE run.stream + 1 END,
        after_at = CASE WHEN looked_at = most THEN last_at ELSE '-infinity' END,
        after_id = CASE WHEN looked_at = most THEN last_id ELSE '00000000-0000-0000-0000-000000000000' END,
        selected = run.selected + cardinality(claimed),
        refused = registry.add_counts(run.refused, left_alone)
    WHERE advanced.run_id = of_run;
END
$$;

-- The claim on an artifact, locked until commit, and what its policy makes of the artifact now. Null where there is none,
-- or it was acted on. Whoever asks holds the artifact.
CREATE FUNCTION registry.judge_claim(
    wanted uuid, at timestamptz,
    OUT run_id uuid, OUT policy jsonb, OUT verdict text, OUT clock_at timestamptz, OUT revision_rank integer, OUT bytes bigint
) LANGUAGE plpgsql AS $$
DECLARE
    run registry.policy_runs;
    known registry.artifacts;
BEGIN
    SELECT claim.run_id INTO run_id FROM registry.policy_actions AS claim
    WHERE claim.artifact_id = wanted AND claim.outcome IS NULL FOR UPDATE;
    SELECT * INTO run FROM registry.policy_runs AS of_claim WHERE of_claim.run_id = judge_claim.run_id;
    SELECT * INTO known FROM registry.artifacts AS of_claim WHERE of_claim.artifact_id = wanted;
    policy := run.policy;
    clock_at := registry.policy_clock(run.policy, known);
    IF NOT registry.policy_unchanged(run) THEN
        verdict := 'policy changed';
    ELSE
        verdict := coalesce(
            registry.policy_verdict(run.policy, known, at - make_interval(secs => run.age_seconds), at), 'not due');
    END IF;
    IF verdict = '' THEN
        revision_rank := registry.revision_rank(known, 100);
        bytes := registry.bytes_concerned(run.policy, known, at);
    END IF;
END
$$;

-- Count the outcomes of a run's claims, at most so many, and end the run where nothing is left of it. What found nothing
-- by its schedule leaves no trace. Answers with the run; null where there is none.
CREATE FUNCTION registry.count_outcomes(of_run uuid, most integer, at timestamptz, OUT run registry.policy_runs)
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

-- As `hold_bytes` of before, for who is about to move an artifact to a disposition. `is_awaited` says whether other
-- deleted artifacts have the same bytes, which are removed with the last of them.
CREATE FUNCTION registry.hold_bytes(
    wanted uuid, target text, at timestamptz,
    OUT artifact registry.artifact_records, OUT is_shared boolean, OUT is_awaited boolean
)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    located uuid := (SELECT known.location_key FROM registry.artifacts AS known WHERE known.artifact_id = wanted);
    held registry.artifacts;
BEGIN
    PERFORM registry.hold_locations(ARRAY[located]);
    SELECT * INTO artifact FROM registry.hold_artifact(wanted);
    IF artifact.location_key <> located THEN
        RAISE EXCEPTION 'the artifact has moved' USING ERRCODE = 'serialization_failure';
    END IF;
    SELECT * INTO held FROM registry.artifacts AS known WHERE known.artifact_id = wanted;
    IF held.disposition <> 'purged' THEN
        PERFORM registry.require_unheld(held, at);
        IF target IN ('deleted', 'purged') THEN
            PERFORM registry.require_unretained(held, target, at);
        END IF;
    END IF;
    is_shared := registry.shares_bytes(held, at);
    is_awaited := registry.has_deleted_twin(held, '-infinity');
END
$$;

-- For the code of before: what it is about to remove is whatever is deleted.
CREATE OR REPLACE FUNCTION registry.hold_bytes(
    wanted uuid, at timestamptz, OUT artifact registry.artifact_records, OUT is_shared boolean
)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    target text := (
        SELECT CASE known.disposition WHEN 'deleted' THEN 'purged' ELSE 'archived' END
        FROM registry.artifacts AS known WHERE known.artifact_id = wanted);
    held record;
BEGIN
    SELECT * INTO held FROM registry.hold_bytes(wanted, target, at);
    artifact := held.artifact;
    is_shared := held.is_shared OR target = 'purged' AND held.is_awaited;
END
$$;

-- As before; what a locked policy retains is refused, and `why` is told in the trail.
CREATE OR REPLACE FUNCTION registry.move_disposition(
    request jsonb, OUT previous text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := (request ->> 'at')::timestamptz;
    target text := request ->> 'disposition';
    held record;
    tier text;
BEGIN
    PERFORM registry.share_holds();
    SELECT * INTO held FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid);
    tier := coalesce(request ->> 'storage_tier', (held.artifact).storage_tier);
    previous := (held.artifact).status;
    IF previous IS NOT NULL AND NOT (target = 'deleted' AND (held.artifact).disposition = 'purged')
        AND NOT (target = 'archived' AND (held.artifact).processing <> 'completed')
        AND ((held.artifact).disposition <> target OR (held.artifact).storage_tier IS DISTINCT FROM tier) THEN
        PERFORM registry.require_unheld(held.artifact, at);
        IF target IN ('deleted', 'purged') THEN
            PERFORM registry.require_unretained(held.artifact, target, at);
        END IF;
        UPDATE registry.artifacts AS moved
        SET disposition = target, updated_at = at,
            storage_tier = tier,
            data = CASE WHEN target <> 'purged' THEN moved.data END,
            purged_at = CASE WHEN target = 'purged' THEN coalesce(moved.purged_at, at) END,
            archived_at = CASE WHEN target = 'archived' THEN coalesce(moved.archived_at, at) ELSE moved.archived_at END,
            deleted_at = CASE WHEN target = 'deleted' THEN coalesce(moved.deleted_at, at) ELSE moved.deleted_at END
        WHERE moved.artifact_id = (held.artifact).artifact_id;
        UPDATE registry.assets SET current_artifact_id = NULL
        WHERE asset_id = (held.asset).asset_id AND current_artifact_id = (held.artifact).artifact_id;
        PERFORM registry.record_event('status_update', held.artifact, request -> 'origin', at, jsonb_build_object(
            'before', jsonb_build_object(
                'disposition', (held.artifact).disposition, 'storage_tier', (held.artifact).storage_tier),
            'after', jsonb_build_object('disposition', target, 'storage_tier', tier))
            || coalesce(nullif(request -> 'why', 'null'), '{}'));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record
    WHERE record.artifact_id = (held.artifact).artifact_id;
END
$$;

-- As before; what is retained is only missing, too.
CREATE OR REPLACE FUNCTION registry.follow_sighting(
    old registry.artifacts, sighting registry.sightings, versions text[], is_deleted boolean, origin jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    new registry.artifacts := registry.as_sighted(old, sighting, versions);
BEGIN
    IF (new.missing_since, new.storage_tier) IS DISTINCT FROM (old.missing_since, old.storage_tier) THEN
        UPDATE registry.artifacts AS seen
        SET missing_since = new.missing_since, storage_tier = new.storage_tier, updated_at = sighting.seen_at
        WHERE seen.artifact_id = old.artifact_id;
        PERFORM registry.record_event(
            CASE WHEN new.missing_since IS NOT DISTINCT FROM old.missing_since THEN 'tier_changed'
                 WHEN new.missing_since IS NULL THEN 'location_found' ELSE 'location_missing' END,
            old, origin, sighting.seen_at, jsonb_build_object(
                'before', registry.told_presence(old), 'after', registry.told_presence(new)));
    END IF;
    IF is_deleted AND new.missing_since IS NOT NULL
        AND (registry.hold_on(new, sighting.seen_at)).hold_id IS NULL
        AND registry.retention_on(new, 'deleted', sighting.seen_at) IS NULL THEN
        PERFORM registry.move_disposition(jsonb_build_object(
            'artifact_id', old.artifact_id, 'disposition', 'deleted', 'origin', origin, 'at', sighting.seen_at));
    END IF;
END
$$;

-- Whether the bytes are as registered: asked for any artifact, and by a scrub that comes round to all of them.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Set where the bytes were other ones when they were last read; and when somebody last tried to read them, whatever
-- came of it. Where there are many artifacts, whoever deploys makes these columns and both indexes beforehand,
-- concurrently: see docs/integrity.md.
ALTER TABLE registry.artifacts
    ADD COLUMN IF NOT EXISTS found_corrupt_at timestamptz,
    ADD COLUMN IF NOT EXISTS looked_at timestamptz;

-- What is in the tier Archive nobody can read; it is verified when it is brought back.
CREATE INDEX IF NOT EXISTS artifacts_by_look ON registry.artifacts (coalesce(looked_at, created_at), artifact_id)
    WHERE storage_account IS NOT NULL AND disposition IN ('live', 'archived') AND processing = 'completed'
      AND storage_tier IS DISTINCT FROM 'Archive';
CREATE INDEX IF NOT EXISTS artifacts_corrupt ON registry.artifacts (found_corrupt_at, artifact_id)
    WHERE found_corrupt_at IS NOT NULL AND disposition IN ('live', 'archived');

-- New columns stand last: functions of before take and give rows of this view by position.
CREATE OR REPLACE VIEW registry.artifact_records AS
    SELECT
        artifact.artifact_id, artifact.asset_id, artifact.revision, artifact.supersedes, artifact.superseded_by,
        artifact.storage_backend, artifact.storage_account, artifact.container, artifact.blob_path,
        artifact.blob_version_id, artifact.blob_etag, artifact.observation, artifact.storage_region, artifact.uri,
        artifact.storage_tier, artifact.location_key, artifact.content_hash, artifact.size_bytes, artifact.row_count,
        artifact.content_type, artifact.artifact_type, artifact.data, artifact.metadata, artifact.stac_collection_id,
        artifact.stac_item_id, artifact.source_job_id, artifact.source_task_id, artifact.run_id, artifact.step_id,
        artifact.producer, artifact.producer_version, artifact.processing, artifact.stage, artifact.disposition,
        artifact.status, artifact.is_resumable, artifact.is_final, artifact.expires_at, artifact.verified_at,
        artifact.created_at, artifact.updated_at, artifact.archived_at, artifact.deleted_at, artifact.purged_at,
        asset.client_type, asset.client_refs, artifact.missing_since,
        artifact.superseded_at, artifact.tier_since, artifact.rehydrating_to, artifact.rehydrated_at,
        artifact.found_corrupt_at
    FROM registry.artifacts AS artifact JOIN registry.assets AS asset USING (asset_id);

CREATE OR REPLACE FUNCTION registry.record_of(artifact registry.artifacts, client_type text, client_refs jsonb)
RETURNS registry.artifact_records
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ROW(
        artifact.artifact_id, artifact.asset_id, artifact.revision, artifact.supersedes, artifact.superseded_by,
        artifact.storage_backend, artifact.storage_account, artifact.container, artifact.blob_path,
        artifact.blob_version_id, artifact.blob_etag, artifact.observation, artifact.storage_region, artifact.uri,
        artifact.storage_tier, artifact.location_key, artifact.content_hash, artifact.size_bytes, artifact.row_count,
        artifact.content_type, artifact.artifact_type, artifact.data, artifact.metadata, artifact.stac_collection_id,
        artifact.stac_item_id, artifact.source_job_id, artifact.source_task_id, artifact.run_id, artifact.step_id,
        artifact.producer, artifact.producer_version, artifact.processing, artifact.stage, artifact.disposition,
        artifact.status, artifact.is_resumable, artifact.is_final, artifact.expires_at, artifact.verified_at,
        artifact.created_at, artifact.updated_at, artifact.archived_at, artifact.deleted_at, artifact.purged_at,
        client_type, client_refs, artifact.missing_since,
        artifact.superseded_at, artifact.tier_since, artifact.rehydrating_to, artifact.rehydrated_at,
        artifact.found_corrupt_at);
END
$$;

-- Artifacts of builds have no mark of their own any more: the column that held it stays, and is not read.
CREATE OR REPLACE VIEW registry.build_artifact_records AS
    SELECT told.artifact_id AS id, told.run_id AS build_id, told.state_code, asset.client_refs ->> 'name' AS artifact_name,
        artifact.artifact_type, artifact.uri AS artifact_path, artifact.storage_backend, artifact.storage_region,
        told.storage_bucket, told.storage_key, artifact.size_bytes, told.checksum, told.checksum_algorithm,
        artifact.is_resumable, artifact.is_final, artifact.expires_at, artifact.metadata, told.created_at,
        artifact.updated_at, artifact.deleted_at, artifact.revision, artifact.status, artifact.content_hash,
        artifact.verified_at, artifact.found_corrupt_at, artifact.missing_since, told.left_behind_at,
        artifact.storage_tier, artifact.superseded_by, artifact.asset_id
    FROM registry.build_artifacts AS told
    CROSS JOIN LATERAL (
        SELECT * FROM registry.artifacts AS known WHERE known.artifact_id = told.artifact_id OFFSET 0) AS artifact
    CROSS JOIN LATERAL (
        SELECT * FROM registry.assets AS known WHERE known.asset_id = artifact.asset_id OFFSET 0) AS asset;

-- How many artifacts and bytes were looked at on each day (UTC), and with which result.
CREATE TABLE registry.integrity_days (
    day date,
    result text CONSTRAINT integrity_days_result_known CHECK (result IN ('ok', 'mismatch', 'missing', 'unreadable')),
    artifacts bigint NOT NULL,
    size_bytes numeric NOT NULL,
    PRIMARY KEY (day, result)
) WITH (fillfactor = 50);

-- What verifying may change of an artifact, as an event tells it.
CREATE FUNCTION registry.told_verification(artifact registry.artifacts) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('verified_at', artifact.verified_at, 'found_corrupt_at', artifact.found_corrupt_at);
END
$$;

-- What came of reading the bytes of an artifact: {artifact_id, result ('ok', 'mismatch', 'missing', 'unreadable'),
-- content_hash (as far as it was read), reason, is_asked (somebody waits for it, whatever is due), origin, at}. Nothing
-- where that is not due, or no longer. The code of before says is_same, and null of it where nothing was read.
CREATE OR REPLACE FUNCTION registry.record_verification(request jsonb) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    result text := coalesce(request ->> 'result', CASE (request ->> 'is_same')::boolean
        WHEN true THEN 'ok' WHEN false THEN 'mismatch' ELSE 'unreadable' END);
    old registry.artifacts;
    new registry.artifacts;
    is_wanted boolean;
BEGIN
    SELECT (locked.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS locked;
    DELETE FROM registry.verifications_due AS done WHERE done.artifact_id = (request ->> 'artifact_id')::uuid;
    is_wanted := FOUND OR coalesce((request ->> 'is_asked')::boolean, false);
    IF NOT is_wanted OR coalesce(old.disposition NOT IN ('live', 'archived'), true) THEN
        RETURN;
    END IF;
    UPDATE registry.artifacts AS seen
    SET verified_at = CASE result WHEN 'ok' THEN at END,
        found_corrupt_at = CASE result WHEN 'ok' THEN NULL WHEN 'mismatch' THEN at ELSE old.found_corrupt_at END,
        -- Where nobody noted it, policies count from the last change: a look must not begin that anew.
        superseded_at = coalesce(old.superseded_at, CASE WHEN old.superseded_by IS NOT NULL THEN old.updated_at END),
        looked_at = at, updated_at = at
    WHERE seen.artifact_id = old.artifact_id
    RETURNING * INTO new;
    PERFORM registry.record_event(CASE result WHEN 'ok' THEN 'verified' ELSE 'verification_failed' END,
        old, request -> 'origin', at, jsonb_build_object(
            'result', result, 'before', registry.told_verification(old), 'after', registry.told_verification(new))
        || CASE result WHEN 'ok' THEN '{}' ELSE jsonb_build_object('content_hash', old.content_hash,
            'found', request -> 'content_hash', 'reason', request -> 'reason') END);
    INSERT INTO registry.integrity_days AS known
    VALUES ((at AT TIME ZONE 'UTC')::date, result, 1, coalesce(old.size_bytes, 0))
    ON CONFLICT ON CONSTRAINT integrity_days_pkey DO UPDATE
    SET artifacts = known.artifacts + 1, size_bytes = known.size_bytes + EXCLUDED.size_bytes;
END
$$;

-- What was found corrupt and is written again, with the bytes that it is to have, is looked at soon.
CREATE FUNCTION registry.verify_mended() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.verifications_due VALUES (NEW.artifact_id, NEW.size_bytes, NEW.updated_at)
    ON CONFLICT ON CONSTRAINT verifications_due_pkey DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER artifacts_verify_mended
    AFTER UPDATE OF blob_etag ON registry.artifacts FOR EACH ROW
    WHEN (NEW.found_corrupt_at IS NOT NULL AND NEW.blob_etag IS DISTINCT FROM OLD.blob_etag)
    EXECUTE FUNCTION registry.verify_mended();

-- How many bytes the scrub may still read, as of an instant: less than none where the last artifact was a large one.
CREATE TABLE registry.scrub_pace (
    is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT scrub_pace_only CHECK (is_only),
    allowed_bytes numeric NOT NULL DEFAULT 0,
    counted_at timestamptz NOT NULL DEFAULT '1970-01-01Z'
);
INSERT INTO registry.scrub_pace DEFAULT VALUES;

-- Whether the scrub reads the bytes of an artifact: there is a checksum to compare them with, and they are not those of
-- a later revision, the next one or the current one, which was written over them.
CREATE FUNCTION registry.is_scrubbed(artifact registry.artifacts) RETURNS boolean
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    IF artifact.content_hash IS NULL AND NOT EXISTS (
        SELECT FROM registry.build_artifacts AS told
        WHERE told.artifact_id = artifact.artifact_id AND told.checksum IS NOT NULL) THEN
        RETURN false;
    END IF;
    RETURN artifact.superseded_by IS NULL OR artifact.blob_version_id IS NOT NULL OR NOT EXISTS (
        SELECT FROM registry.assets AS asset
        JOIN registry.artifacts AS later ON later.artifact_id IN (asset.current_artifact_id, artifact.superseded_by)
        WHERE asset.asset_id = artifact.asset_id AND later.location_key = artifact.location_key);
END
$$;

-- Say which bytes are to be read next: those of the artifacts that were looked at longest ago, or registered and never
-- looked at since. request: {bytes_per_day, looked_before, most (artifacts to go through), most_waiting (verifications
-- that are due already, of whoever), at}. What is allowed grows evenly, to no more than that of an hour. Answers with
-- how many were gone through, and how many of these are to be read.
CREATE FUNCTION registry.begin_scrub(request jsonb, OUT seen integer, OUT artifacts integer, OUT size_bytes numeric)
LANGUAGE plpgsql
SET lock_timeout = '10s' SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    at timestamptz := request ->> 'at';
    looked_before timestamptz := request ->> 'looked_before';
    most integer := request -> 'most';
    most_waiting integer := request -> 'most_waiting';
    an_hours numeric := (request ->> 'bytes_per_day')::numeric / 24;
    pace registry.scrub_pace;
    allowed numeric;
    waiting integer;
    candidate registry.artifacts;
    passed_over uuid[] := '{}';
BEGIN
    seen := 0;
    artifacts := 0;
    size_bytes := 0;
    SELECT * INTO pace FROM registry.scrub_pace AS known WHERE known.is_only FOR UPDATE;
    allowed := least(an_hours,
        pace.allowed_bytes + an_hours * greatest(extract(epoch FROM at - pace.counted_at), 0) / 3600);
    SELECT count(*) INTO waiting
    FROM (SELECT FROM registry.verifications_due AS due ORDER BY due.due_at, due.artifact_id LIMIT most_waiting) AS counted;
    FOR candidate IN
        SELECT * FROM registry.artifacts AS known
        WHERE known.storage_account IS NOT NULL AND known.disposition IN ('live', 'archived')
          AND known.processing = 'completed' AND known.storage_tier IS DISTINCT FROM 'Archive'
          AND coalesce(known.looked_at, known.created_at) < looked_before
        ORDER BY coalesce(known.looked_at, known.created_at), known.artifact_id
        LIMIT most + waiting
    LOOP
        EXIT WHEN allowed <= 0 OR waiting + artifacts >= most_waiting;
        CONTINUE WHEN EXISTS (
            SELECT FROM registry.verifications_due AS due WHERE due.artifact_id = candidate.artifact_id);
        seen := seen + 1;
        IF NOT registry.is_scrubbed(candidate) THEN
            passed_over := passed_over || candidate.artifact_id;
            CONTINUE;
        END IF;
        INSERT INTO registry.verifications_due VALUES (candidate.artifact_id, candidate.size_bytes, at)
        ON CONFLICT ON CONSTRAINT verifications_due_pkey DO NOTHING;
        artifacts := artifacts + 1;
        size_bytes := size_bytes + coalesce(candidate.size_bytes, 0);
        allowed := allowed - coalesce(candidate.size_bytes, 0);
    END LOOP;
    -- Whoever is changing one of them is not waited for.
    UPDATE registry.artifacts AS passed SET looked_at = at
    WHERE passed.artifact_id = ANY (ARRAY(
        SELECT known.artifact_id FROM registry.artifacts AS known
        WHERE known.artifact_id = ANY (passed_over) FOR NO KEY UPDATE SKIP LOCKED));
    UPDATE registry.scrub_pace AS known SET allowed_bytes = allowed, counted_at = greatest(pace.counted_at, at)
    WHERE known.is_only;
END
$$;

UPDATE registry.artifacts AS artifact SET found_corrupt_at = told.found_corrupt_at
FROM registry.build_artifacts AS told
WHERE told.artifact_id = artifact.artifact_id AND told.found_corrupt_at IS NOT NULL;

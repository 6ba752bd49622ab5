-- Bringing archived bytes back, and verifying them after it.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

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
        artifact.superseded_at, artifact.tier_since, artifact.rehydrating_to, artifact.rehydrated_at
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
        artifact.superseded_at, artifact.tier_since, artifact.rehydrating_to, artifact.rehydrated_at);
END
$$;

-- What was asked to be brought back, until it is; and when to look after it next.
CREATE TABLE registry.rehydrations (
    artifact_id uuid PRIMARY KEY,
    priority text NOT NULL CONSTRAINT rehydrations_priority_known CHECK (priority IN ('Standard', 'High')),
    due_at timestamptz NOT NULL
);
CREATE INDEX rehydrations_by_due ON registry.rehydrations (due_at, artifact_id);

-- Artifacts that came back and are to be hashed, and when a message about each is (again) to be sent.
CREATE TABLE registry.verifications_due (
    artifact_id uuid PRIMARY KEY,
    size_bytes bigint,
    due_at timestamptz NOT NULL
);
CREATE INDEX verifications_due_by_due ON registry.verifications_due (due_at, artifact_id);

-- What bringing back may change of an artifact, as an event tells it.
CREATE FUNCTION registry.told_rehydration(artifact registry.artifacts) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('storage_tier', artifact.storage_tier, 'rehydrating_to', artifact.rehydrating_to);
END
$$;

-- Record that archived bytes are wanted back: {artifact_id, target_tier, priority, origin, at}. From now on the
-- artifact waits anew for what policies do to archived ones.
CREATE FUNCTION registry.request_rehydration(request jsonb, OUT artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    old registry.artifacts;
    new registry.artifacts;
BEGIN
    SELECT (locked.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS locked;
    IF old.disposition = 'archived' AND old.rehydrating_to IS NULL THEN
        UPDATE registry.artifacts AS wanted
        SET rehydrating_to = request ->> 'target_tier', rehydrated_at = at, updated_at = at
        WHERE wanted.artifact_id = old.artifact_id
        RETURNING * INTO new;
        INSERT INTO registry.rehydrations VALUES (old.artifact_id, request ->> 'priority', at)
        ON CONFLICT ON CONSTRAINT rehydrations_pkey DO UPDATE SET priority = EXCLUDED.priority, due_at = EXCLUDED.due_at;
        PERFORM registry.record_event('rehydrate_requested', old, request -> 'origin', at, jsonb_build_object(
            'before', registry.told_rehydration(old), 'after', registry.told_rehydration(new),
            'priority', request -> 'priority'));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record WHERE record.artifact_id = old.artifact_id;
END
$$;

-- The bytes are back, in the tier that is told; or they never will be, for a reason: {artifact_id, storage_tier, reason,
-- origin, at}. What has a hash is to be verified then.
CREATE FUNCTION registry.end_rehydration(request jsonb, OUT artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    is_back boolean := request ->> 'reason' IS NULL;
    old registry.artifacts;
    new registry.artifacts;
BEGIN
    SELECT (locked.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS locked;
    DELETE FROM registry.rehydrations AS ended WHERE ended.artifact_id = old.artifact_id;
    IF old.rehydrating_to IS NOT NULL THEN
        UPDATE registry.artifacts AS wanted
        SET rehydrating_to = NULL, storage_tier = coalesce(request ->> 'storage_tier', old.storage_tier), updated_at = at
        WHERE wanted.artifact_id = old.artifact_id
        RETURNING * INTO new;
        PERFORM registry.record_event(CASE WHEN is_back THEN 'rehydrated' ELSE 'rehydration_failed' END,
            old, request -> 'origin', at, jsonb_build_object(
                'before', registry.told_rehydration(old), 'after', registry.told_rehydration(new))
            || CASE WHEN is_back THEN '{}' ELSE jsonb_build_object('reason', request -> 'reason') END);
        IF is_back AND new.content_hash IS NOT NULL THEN
            INSERT INTO registry.verifications_due VALUES (new.artifact_id, new.size_bytes, at)
            ON CONFLICT ON CONSTRAINT verifications_due_pkey DO UPDATE SET due_at = EXCLUDED.due_at;
        END IF;
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record WHERE record.artifact_id = old.artifact_id;
END
$$;

-- What came of hashing the bytes of an artifact that is to be verified: {artifact_id, content_hash (null where they
-- cannot be read, for a reason), reason, origin, at}. Nothing where that is not due, or no longer.
CREATE FUNCTION registry.record_verification(request jsonb) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    old registry.artifacts;
    verified timestamptz;
BEGIN
    SELECT (locked.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS locked;
    DELETE FROM registry.verifications_due AS done WHERE done.artifact_id = (request ->> 'artifact_id')::uuid;
    IF FOUND AND old.disposition IN ('live', 'archived') THEN
        verified := CASE WHEN old.content_hash = request ->> 'content_hash' THEN at END;
        UPDATE registry.artifacts SET verified_at = verified, updated_at = at WHERE artifact_id = old.artifact_id;
        PERFORM registry.record_event(CASE WHEN verified IS NULL THEN 'verification_failed' ELSE 'verified' END,
            old, request -> 'origin', at, jsonb_build_object(
                'before', jsonb_build_object('verified_at', old.verified_at),
                'after', jsonb_build_object('verified_at', verified))
            || CASE WHEN verified IS NULL THEN jsonb_build_object('content_hash', old.content_hash,
                'found', request -> 'content_hash', 'reason', request -> 'reason') ELSE '{}' END);
    END IF;
END
$$;

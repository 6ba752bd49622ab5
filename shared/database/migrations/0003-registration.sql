-- Registering, completing and retiring artifacts: each one call, one transaction, under the
-- asset's row lock, which orders everything that happens to one asset.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE FUNCTION registry.record_event(
    operation text, artifact registry.artifacts, origin jsonb, occurred_at timestamptz, details jsonb
) RETURNS void
LANGUAGE plpgsql AS $$  -- not SQL, whose functions are planned anew at each call before PostgreSQL 18
BEGIN
    INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, asset_id, artifact_id, run_id, details)
    VALUES (occurred_at, operation, origin ->> 'actor', origin ->> 'request_id',
            artifact.asset_id, artifact.artifact_id, artifact.run_id, details);
END
$$;

-- The artifact that answers a registration without a new revision, if there is one.
CREATE FUNCTION registry.standing_artifact(
    asset registry.assets, new registry.artifacts, request jsonb,
    OUT outcome text, OUT standing registry.artifacts
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    overwrite boolean := request -> 'overwrite';
    register_unchanged boolean := request -> 'register_unchanged';
BEGIN
    IF (request -> 'is_repeatable')::boolean THEN
        SELECT * INTO standing FROM registry.artifacts WHERE artifact_id = new.artifact_id;
        IF FOUND THEN
            outcome := 'unchanged';
            RETURN;
        END IF;
    END IF;
    IF new.observation IS NOT NULL THEN
        SELECT * INTO standing FROM registry.artifacts AS seen
        WHERE seen.location_key = registry.location_key(new.storage_account, new.container, new.blob_path)
          AND seen.asset_id = asset.asset_id AND seen.observation IS NOT NULL
        ORDER BY seen.observation DESC LIMIT 1;
        outcome := CASE
            WHEN standing.blob_etag = new.blob_etag AND (request -> 'once_per_state')::boolean THEN 'unchanged'
            WHEN standing.observation > new.observation THEN 'stale' END;
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    SELECT * INTO standing FROM registry.artifacts WHERE artifact_id = asset.current_artifact_id;
    outcome := CASE
        WHEN standing.content_hash = new.content_hash AND NOT register_unchanged THEN 'unchanged'
        WHEN standing.artifact_id IS NOT NULL AND NOT overwrite THEN 'conflict' END;
END
$$;

-- The same bytes were written again: the artifact stands, its location's state moves on.
CREATE FUNCTION registry.refresh_location(standing registry.artifacts, new registry.artifacts, origin jsonb)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF new.observation IS NULL OR standing.blob_etag IS NOT DISTINCT FROM new.blob_etag
        OR standing.location_key IS DISTINCT FROM
           registry.location_key(new.storage_account, new.container, new.blob_path) THEN
        RETURN;
    END IF;
    UPDATE registry.artifacts
    SET blob_etag = new.blob_etag, blob_version_id = new.blob_version_id, observation = new.observation,
        storage_tier = coalesce(new.storage_tier, storage_tier), updated_at = new.created_at
    WHERE artifact_id = standing.artifact_id;
    PERFORM registry.record_event('location_refreshed', standing, origin, new.created_at, jsonb_build_object(
        'before', jsonb_build_object('blob_etag', standing.blob_etag, 'blob_version_id', standing.blob_version_id),
        'after', jsonb_build_object('blob_etag', new.blob_etag, 'blob_version_id', new.blob_version_id)));
END
$$;

-- Answers with the row as stored, its derived columns filled.
CREATE FUNCTION registry.insert_artifact(INOUT new registry.artifacts)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifacts (
        artifact_id, asset_id, revision, supersedes,
        storage_backend, storage_account, container, blob_path, blob_version_id, blob_etag, observation,
        storage_region, uri, storage_tier,
        content_hash, size_bytes, row_count, content_type, artifact_type, data, metadata,
        stac_collection_id, stac_item_id, source_job_id, source_task_id, run_id, step_id,
        producer, producer_version, processing, stage, is_resumable, is_final, expires_at,
        created_at, updated_at)
    VALUES (
        new.artifact_id, new.asset_id, new.revision, new.supersedes,
        new.storage_backend, new.storage_account, new.container, new.blob_path, new.blob_version_id, new.blob_etag,
        new.observation, new.storage_region, new.uri, new.storage_tier,
        new.content_hash, new.size_bytes, new.row_count, new.content_type, new.artifact_type, new.data, new.metadata,
        new.stac_collection_id, new.stac_item_id, new.source_job_id, new.source_task_id, new.run_id, new.step_id,
        new.producer, new.producer_version, new.processing, new.stage, new.is_resumable, new.is_final, new.expires_at,
        new.created_at, new.created_at)
    RETURNING * INTO new;
END
$$;

-- A key that two identities share is refused: md5 collisions can be made on purpose.
CREATE FUNCTION registry.require_identity(asset registry.assets, request jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF asset.client_type <> request ->> 'client_type' OR asset.client_refs <> request -> 'client_refs' THEN
        RAISE EXCEPTION 'another asset has this identity key'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'assets_identity';
    END IF;
END
$$;

-- Lock the asset, making it first if it is new. A new one already counts its first revision.
CREATE FUNCTION registry.locked_asset(
    request jsonb, new registry.artifacts, OUT asset registry.assets, OUT is_new boolean
) LANGUAGE plpgsql AS $$
DECLARE
    key uuid := registry.identity_key(request ->> 'client_type', request -> 'client_refs');
BEGIN
    is_new := false;
    SELECT * INTO asset FROM registry.assets WHERE identity_key = key FOR NO KEY UPDATE;
    IF FOUND THEN
        PERFORM registry.require_identity(asset, request);
        RETURN;
    END IF;
    INSERT INTO registry.assets (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
    VALUES ((request ->> 'asset_id')::uuid, request ->> 'client_type', request -> 'client_refs', 1,
            CASE WHEN new.processing = 'completed' THEN new.artifact_id END, new.created_at)
    ON CONFLICT ON CONSTRAINT assets_identity DO NOTHING
    RETURNING * INTO asset;
    is_new := FOUND;
    IF NOT is_new THEN  -- another registration made it while we waited
        SELECT * INTO STRICT asset FROM registry.assets WHERE identity_key = key FOR NO KEY UPDATE;
        PERFORM registry.require_identity(asset, request);
    END IF;
END
$$;

-- Take the next revision of an asset that was there before, and its current place if completed.
CREATE FUNCTION registry.take_revision(
    asset registry.assets, standing registry.artifacts, INOUT new registry.artifacts
) LANGUAGE plpgsql AS $$
DECLARE
    becomes_current boolean := new.processing = 'completed';
BEGIN
    new.revision := asset.last_revision + 1;
    IF becomes_current AND standing.artifact_id IS NOT NULL THEN
        new.supersedes := standing.artifact_id;
        UPDATE registry.artifacts SET superseded_by = new.artifact_id, updated_at = new.created_at
        WHERE artifact_id = standing.artifact_id;
    END IF;
    UPDATE registry.assets
    SET last_revision = new.revision,
        current_artifact_id = CASE WHEN becomes_current THEN new.artifact_id ELSE current_artifact_id END
    WHERE asset_id = asset.asset_id;
END
$$;

-- request: {client_type, client_refs, asset_id (taken when the asset is new), overwrite,
-- register_unchanged, is_repeatable (the same request has the same artifact_id), once_per_state (an
-- etag once registered for the asset is settled), origin: {actor, request_id},
-- artifact: {columns of registry.artifacts}}.
CREATE FUNCTION registry.register_artifact(
    request jsonb, OUT outcome text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    new registry.artifacts := jsonb_populate_record(NULL::registry.artifacts, request -> 'artifact');
    locked record;
    answer record;
BEGIN
    SELECT * INTO locked FROM registry.locked_asset(request, new);
    new.asset_id := (locked.asset).asset_id;
    IF locked.is_new THEN
        new.revision := 1;
    ELSE
        SELECT * INTO answer FROM registry.standing_artifact(locked.asset, new, request);
        outcome := answer.outcome;
        IF outcome IS NULL THEN
            new := registry.take_revision(locked.asset, answer.standing, new);
        END IF;
    END IF;
    IF outcome IS NULL THEN
        outcome := 'created';
        new := registry.insert_artifact(new);
        PERFORM registry.record_event('artifact_creation', new, request -> 'origin', new.created_at,
            jsonb_build_object('revision', new.revision, 'supersedes', new.supersedes));
        SELECT new.*, (locked.asset).client_type, (locked.asset).client_refs INTO artifact;
        RETURN;
    END IF;
    IF outcome = 'unchanged' THEN
        PERFORM registry.refresh_location(answer.standing, new, request -> 'origin');
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record
    WHERE record.artifact_id = (answer.standing).artifact_id;
END
$$;

-- Artifacts of builds: registered, found, renamed and verified under their build.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- An artifact as the document tells it, and what is asked about it. OFFSET 0: whoever asks begins with the builds, and
-- everything else is looked up by its id, whatever the planner thinks.
CREATE VIEW registry.build_artifact_records AS
    SELECT told.artifact_id AS id, told.run_id AS build_id, told.state_code, asset.client_refs ->> 'name' AS artifact_name,
        artifact.artifact_type, artifact.uri AS artifact_path, artifact.storage_backend, artifact.storage_region,
        told.storage_bucket, told.storage_key, artifact.size_bytes, told.checksum, told.checksum_algorithm,
        artifact.is_resumable, artifact.is_final, artifact.expires_at, artifact.metadata, told.created_at,
        artifact.updated_at, artifact.deleted_at, artifact.revision, artifact.status, artifact.content_hash,
        artifact.verified_at, told.found_corrupt_at, artifact.missing_since, artifact.superseded_by, artifact.asset_id
    FROM registry.build_artifacts AS told
    CROSS JOIN LATERAL (
        SELECT * FROM registry.artifacts AS known WHERE known.artifact_id = told.artifact_id OFFSET 0) AS artifact
    CROSS JOIN LATERAL (
        SELECT * FROM registry.assets AS known WHERE known.asset_id = artifact.asset_id OFFSET 0) AS asset;

-- The artifacts of a build that it can be resumed with at an instant. Not plpgsql: who asks takes only what it needs.
CREATE FUNCTION registry.usable_build_artifacts(run uuid, at timestamptz) RETURNS SETOF registry.build_artifact_records
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT record.* FROM registry.build_artifact_records AS record
    WHERE record.build_id = run AND record.is_resumable AND record.status = 'active'
      AND coalesce(record.expires_at > at, true)
      AND record.found_corrupt_at IS NULL AND record.missing_since IS NULL;
END;

-- The newest revision of an asset that is not deleted.
CREATE FUNCTION registry.last_revision_kept(wanted uuid) RETURNS registry.artifacts
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    kept registry.artifacts;
BEGIN
    SELECT * INTO kept FROM registry.artifacts AS known
    WHERE known.asset_id = wanted AND known.processing = 'completed' AND known.disposition IN ('live', 'archived')
    ORDER BY known.revision DESC LIMIT 1;
    RETURN kept;
END
$$;

-- Who has a name: the artifact that is told under it; null where the name is free. What was superseded by a revision that
-- is deleted now does not come back.
CREATE FUNCTION registry.bearer_of(asset_id uuid) RETURNS registry.artifacts
LANGUAGE plpgsql STABLE AS $$
DECLARE
    kept registry.artifacts := registry.last_revision_kept(asset_id);
BEGIN
    RETURN CASE WHEN kept.superseded_by IS NULL THEN kept END;
END
$$;

-- Register an artifact of a build, whose row the caller has locked. request: {run_id, state_code, storage_bucket,
-- storage_key, checksum, checksum_algorithm, registration (see registry.register_artifact)}. `outcome` is 'created', or
-- 'conflict' with the artifact that has the name: also one that is archived has it.
CREATE FUNCTION registry.register_build_artifact(
    request jsonb, OUT outcome text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    registration jsonb := request -> 'registration';
    told registry.build_artifacts := jsonb_populate_record(NULL::registry.build_artifacts, request);
    in_the_way registry.artifacts;
    asset registry.assets;
    registered record;
BEGIN
    PERFORM registry.share_locations(jsonb_build_array(registration -> 'artifact'));
    SELECT * INTO asset FROM registry.assets AS known
    WHERE known.identity_key = registry.identity_key(registration ->> 'client_type', registration -> 'client_refs')
    FOR NO KEY UPDATE;
    IF NOT (registration -> 'overwrite')::boolean THEN
        in_the_way := registry.bearer_of(asset.asset_id);
    END IF;
    IF in_the_way.artifact_id IS NOT NULL THEN
        outcome := 'conflict';
        artifact := registry.record_of(in_the_way, asset.client_type, asset.client_refs);
        RETURN;
    END IF;
    SELECT * INTO registered FROM registry.register_artifact(registration);
    outcome := registered.outcome;
    artifact := registered.artifact;
    IF outcome = 'created' THEN
        INSERT INTO registry.build_artifacts
            (artifact_id, run_id, state_code, storage_bucket, storage_key, checksum, checksum_algorithm, created_at)
        VALUES (artifact.artifact_id, told.run_id, told.state_code, told.storage_bucket, told.storage_key, told.checksum,
                told.checksum_algorithm, artifact.created_at);
        UPDATE registry.runs AS run SET artifacts = run.artifacts + 1 WHERE run.run_id = told.run_id;
    END IF;
END
$$;

-- The same, for whoever has not locked the build: `outcome` may be 'unknown build' as well. `artifact` is the registered
-- one as the document tells it, `in_the_way` the id of the one that has the name.
CREATE FUNCTION registry.add_build_artifact(request jsonb, OUT outcome text, OUT artifact text, OUT in_the_way uuid)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    run registry.runs := registry.lock_build((request ->> 'run_id')::uuid);
    registered record;
BEGIN
    IF run.run_id IS NULL THEN
        outcome := 'unknown build';
        RETURN;
    END IF;
    SELECT * INTO registered FROM registry.register_build_artifact(request);
    outcome := registered.outcome;
    IF outcome = 'created' THEN
        SELECT row_to_json(record)::text INTO artifact FROM registry.build_artifact_records AS record
        WHERE record.id = (registered.artifact).artifact_id;
    ELSE
        in_the_way := (registered.artifact).artifact_id;
    END IF;
END
$$;

-- A page of the artifacts of a build, by state and time, behind one of them (null: from the beginning). request:
-- {build_id, state_code, artifact_type, is_resumable, is_final (null: any), after, most}. A build without any is one row
-- of null, an unknown one none.
CREATE FUNCTION registry.list_build_artifacts(request jsonb) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    wanted uuid := request ->> 'build_id';
    lowest smallint := coalesce(request ->> 'state_code', '0');
    highest smallint := coalesce(request ->> 'state_code', '100');
    of_type text := request ->> 'artifact_type';
    resumable boolean := request ->> 'is_resumable';
    final boolean := request ->> 'is_final';
    most integer := request -> 'most';
    after registry.build_artifacts;
BEGIN
    SELECT * INTO after FROM registry.build_artifacts AS known WHERE known.artifact_id = (request ->> 'after')::uuid;
    RETURN QUERY
    SELECT row_to_json(record)::text FROM registry.build_artifact_records AS record
    WHERE record.build_id = wanted AND record.state_code BETWEEN lowest AND highest
      AND (record.state_code, record.created_at, record.id) > (
          coalesce(after.state_code, 0::smallint), coalesce(after.created_at, '-infinity'),
          coalesce(after.artifact_id, '00000000-0000-0000-0000-000000000000'))
      AND record.status IN ('active', 'archived') AND record.superseded_by IS NULL
      AND (of_type IS NULL OR record.artifact_type = of_type)
      AND (resumable IS NULL OR record.is_resumable = resumable) AND (final IS NULL OR record.is_final = final)
      AND record.id = (registry.last_revision_kept(record.asset_id)).artifact_id
    ORDER BY record.state_code, record.created_at, record.id LIMIT most;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::text FROM registry.runs AS run WHERE run.run_id = wanted AND run.run_type = 'build';
    END IF;
END
$$;

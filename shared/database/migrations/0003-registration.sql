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

CREATE FUNCTION registry.told_creation(artifact registry.artifacts) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('revision', artifact.revision, 'supersedes', artifact.supersedes);
END
$$;

-- Whoever removes or tiers bytes holds their location alone, whoever registers some there shares it:
-- so nobody comes to point at bytes that are about to go. Locks are few and shared by many
-- locations, for a transaction of 1,000 registrations may not fill the server's table of locks.
-- They are taken before the locks of assets, so that no two transactions wait for each other.
CREATE FUNCTION registry.location_lock(location_key uuid) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ('x' || right(location_key::text, 2))::bit(8)::integer;
END
$$;

CREATE FUNCTION registry.share_locations(artifacts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('registry.location'), lock)
    FROM (
        SELECT DISTINCT registry.location_lock(registry.location_key(
            artifact ->> 'storage_account', artifact ->> 'container', artifact ->> 'blob_path')) AS lock
        FROM jsonb_array_elements(artifacts) AS artifact
    ) AS locks
    WHERE lock IS NOT NULL;
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

-- Answers with the rows as stored, their derived columns filled. Many in one statement cost a fraction of
-- as many statements, each of which would set up every constraint and index anew.
CREATE FUNCTION registry.insert_artifacts(new registry.artifacts[]) RETURNS SETOF registry.artifacts
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    INSERT INTO registry.artifacts (
        artifact_id, asset_id, revision, supersedes,
        storage_backend, storage_account, container, blob_path, blob_version_id, blob_etag, observation,
        storage_region, uri, storage_tier,
        content_hash, size_bytes, row_count, content_type, artifact_type, data, metadata,
        stac_collection_id, stac_item_id, source_job_id, source_task_id, run_id, step_id,
        producer, producer_version, processing, stage, is_resumable, is_final, expires_at,
        created_at, updated_at)
    SELECT
        given.artifact_id, given.asset_id, given.revision, given.supersedes,
        given.storage_backend, given.storage_account, given.container, given.blob_path, given.blob_version_id,
        given.blob_etag, given.observation, given.storage_region, given.uri, given.storage_tier,
        given.content_hash, given.size_bytes, given.row_count, given.content_type, given.artifact_type, given.data,
        given.metadata, given.stac_collection_id, given.stac_item_id, given.source_job_id, given.source_task_id,
        given.run_id, given.step_id, given.producer, given.producer_version, given.processing, given.stage,
        given.is_resumable, given.is_final, given.expires_at, given.created_at, given.created_at
    FROM unnest(new) AS given
    RETURNING *;
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

-- Register under the asset's lock, the location being shared already.
-- request: {client_type, client_refs, asset_id (taken when the asset is new), overwrite,
-- register_unchanged, is_repeatable (the same request has the same artifact_id), once_per_state (an
-- etag once registered for the asset is settled), origin: {actor, request_id},
-- artifact: {columns of registry.artifacts}}.
CREATE FUNCTION registry.register_shared(
    request jsonb, OUT outcome text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql AS $$
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
        SELECT * INTO new FROM registry.insert_artifacts(ARRAY[new]);
        PERFORM registry.record_event(
            'artifact_creation', new, request -> 'origin', new.created_at, registry.told_creation(new));
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

CREATE FUNCTION registry.register_artifact(
    request jsonb, OUT outcome text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    lock integer := registry.location_lock(registry.location_key(
        request #>> '{artifact,storage_account}', request #>> '{artifact,container}', request #>> '{artifact,blob_path}'));
    answer record;
BEGIN
    IF lock IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('registry.location'), lock);
    END IF;
    SELECT * INTO answer FROM registry.register_shared(request);
    outcome := answer.outcome;
    artifact := answer.artifact;
END
$$;

-- Register, of a list of requests, the first one for each asset that is new: all in one go.
-- Assets are made in the order of their keys, so that no two lists wait for each other.
CREATE FUNCTION registry.register_new_assets(requests jsonb)
RETURNS TABLE (place bigint, artifact registry.artifact_records)
LANGUAGE plpgsql AS $$
DECLARE
    places bigint[];
    asset_ids uuid[];
    client_types text[];
    client_refs jsonb[];
    origins jsonb[];
    new registry.artifacts[];
    made uuid[];
BEGIN
    SELECT array_agg(first.place), array_agg((first.request ->> 'asset_id')::uuid),
        array_agg(first.request ->> 'client_type'), array_agg(first.request -> 'client_refs'),
        array_agg(first.request -> 'origin'),
        array_agg(jsonb_populate_record(NULL::registry.artifacts, (first.request -> 'artifact')
            || jsonb_build_object('asset_id', first.request -> 'asset_id', 'revision', 1)))
    INTO places, asset_ids, client_types, client_refs, origins, new
    FROM (
        SELECT DISTINCT ON (key) registry.identity_key(each.request ->> 'client_type', each.request -> 'client_refs') AS key,
            each.request, each.position - 1 AS place
        FROM jsonb_array_elements(requests) WITH ORDINALITY AS each (request, position)
        ORDER BY key, each.position
    ) AS first;
    WITH inserted AS (
        INSERT INTO registry.assets AS asset
            (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
        SELECT given.asset_id, given.client_type, given.client_refs, 1,
            CASE WHEN given.processing = 'completed' THEN given.artifact_id END, given.created_at
        FROM (
            SELECT known.*, registered.processing, registered.artifact_id, registered.created_at
            FROM unnest(asset_ids, client_types, client_refs) WITH ORDINALITY
                AS known (asset_id, client_type, client_refs, position)
            JOIN unnest(new) AS registered ON registered.asset_id = known.asset_id
            ORDER BY known.position
        ) AS given
        ON CONFLICT ON CONSTRAINT assets_identity DO NOTHING
        RETURNING asset.asset_id
    )
    SELECT array_agg(inserted.asset_id) INTO made FROM inserted;
    new := ARRAY(SELECT registry.insert_artifacts(
        ARRAY(SELECT given FROM unnest(new) AS given WHERE given.asset_id = ANY (made))));
    INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, asset_id, artifact_id, run_id, details)
    SELECT created.created_at, 'artifact_creation', given.origin ->> 'actor', given.origin ->> 'request_id',
        created.asset_id, created.artifact_id, created.run_id, registry.told_creation(created)
    FROM unnest(new) AS created
    JOIN unnest(asset_ids, origins) AS given (asset_id, origin) ON given.asset_id = created.asset_id;
    RETURN QUERY
    SELECT known.place, ROW(created.*, known.client_type, known.client_refs)::registry.artifact_records
    FROM unnest(new) AS created
    JOIN unnest(places, asset_ids, client_types, client_refs) AS known (place, asset_id, client_type, client_refs)
        ON known.asset_id = created.asset_id;
END
$$;

-- Register a list of requests: what is new in one go, then the rest one after the other, in the order of
-- the assets' keys as well; requests for one asset keep theirs. `place` counts from 0.
CREATE FUNCTION registry.register_artifacts(requests jsonb)
RETURNS TABLE (place bigint, outcome text, artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    item record;
    answer record;
    done boolean[] := array_fill(false, ARRAY[jsonb_array_length(requests)]);
BEGIN
    PERFORM registry.share_locations(jsonb_path_query_array(requests, '$[*].artifact'));
    FOR item IN SELECT * FROM registry.register_new_assets(requests) LOOP
        place := item.place;
        outcome := 'created';
        artifact := item.artifact;
        done[place + 1] := true;
        RETURN NEXT;
    END LOOP;
    FOR item IN
        SELECT listed.request, listed.position - 1 AS place
        FROM jsonb_array_elements(requests) WITH ORDINALITY AS listed (request, position)
        WHERE NOT done[listed.position]
        ORDER BY registry.identity_key(listed.request ->> 'client_type', listed.request -> 'client_refs'), position
    LOOP
        SELECT * INTO answer FROM registry.register_shared(item.request);
        place := item.place;
        outcome := answer.outcome;
        artifact := answer.artifact;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Registering many at once, and what takes bytes away: functions and guards of before, in their new form.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- A purge empties inline content. Older rows are left as they are: none of them could be purged.
ALTER TABLE registry.artifacts
    DROP CONSTRAINT IF EXISTS artifacts_purged_data,
    ADD CONSTRAINT artifacts_purged_data CHECK (disposition <> 'purged' OR data IS NULL) NOT VALID;

DROP TRIGGER IF EXISTS artifacts_content_immutable ON registry.artifacts;
CREATE TRIGGER artifacts_content_immutable
    BEFORE UPDATE OF artifact_id, asset_id, revision, storage_backend, storage_account, container, blob_path,
        storage_region, uri, artifact_type, stac_collection_id, stac_item_id,
        source_job_id, source_task_id, run_id, step_id, producer, producer_version, created_at
    ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.artifact_id, OLD.asset_id, OLD.revision, OLD.storage_backend, OLD.storage_account, OLD.container,
           OLD.blob_path, OLD.storage_region, OLD.uri, OLD.artifact_type, OLD.stac_collection_id,
           OLD.stac_item_id, OLD.source_job_id, OLD.source_task_id, OLD.run_id, OLD.step_id, OLD.producer,
           OLD.producer_version, OLD.created_at)
        IS DISTINCT FROM
          (NEW.artifact_id, NEW.asset_id, NEW.revision, NEW.storage_backend, NEW.storage_account, NEW.container,
           NEW.blob_path, NEW.storage_region, NEW.uri, NEW.artifact_type, NEW.stac_collection_id,
           NEW.stac_item_id, NEW.source_job_id, NEW.source_task_id, NEW.run_id, NEW.step_id, NEW.producer,
           NEW.producer_version, NEW.created_at))
    EXECUTE FUNCTION registry.refuse('content never changes after it was registered');

-- Inline content is bytes as well: a purge removes it, and nothing else touches it.
DROP TRIGGER IF EXISTS artifacts_data_immutable ON registry.artifacts;
CREATE TRIGGER artifacts_data_immutable
    BEFORE UPDATE OF data ON registry.artifacts FOR EACH ROW
    WHEN (OLD.data IS DISTINCT FROM NEW.data AND NOT (NEW.data IS NULL AND NEW.disposition = 'purged'))
    EXECUTE FUNCTION registry.refuse('content never changes after it was registered');

CREATE OR REPLACE FUNCTION registry.told_creation(artifact registry.artifacts) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('revision', artifact.revision, 'supersedes', artifact.supersedes);
END
$$;

-- Whoever removes or tiers bytes holds their location alone, whoever registers some there shares it:
-- so nobody comes to point at bytes that are about to go. Locks are few and shared by many
-- locations, for a transaction of 1,000 registrations may not fill the server's table of locks.
-- They are taken before the locks of assets, so that no two transactions wait for each other.
CREATE OR REPLACE FUNCTION registry.location_lock(location_key uuid) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN ('x' || right(location_key::text, 2))::bit(8)::integer;
END
$$;

CREATE OR REPLACE FUNCTION registry.share_locations(artifacts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('registry.location'), lock)
    FROM (
        SELECT DISTINCT registry.location_lock(registry.location_key(
            artifact ->> 'storage_account', artifact ->> 'container', artifact ->> 'blob_path')) AS lock
        FROM jsonb_array_elements(artifacts) AS artifact
        ORDER BY lock
    ) AS locks
    WHERE lock IS NOT NULL;
END
$$;

-- Answers with the rows as stored, their derived columns filled. Many in one statement cost a fraction of
-- as many statements, each of which would set up every constraint and index anew.
CREATE OR REPLACE FUNCTION registry.insert_artifacts(new registry.artifacts[]) RETURNS SETOF registry.artifacts
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

-- Register under the asset's lock, the location being shared already.
-- request: {client_type, client_refs, asset_id (taken when the asset is new), overwrite,
-- register_unchanged, is_repeatable (the same request has the same artifact_id), once_per_state (an
-- etag once registered for the asset is settled), origin: {actor, request_id},
-- artifact: {columns of registry.artifacts}}.
CREATE OR REPLACE FUNCTION registry.register_shared(
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

CREATE OR REPLACE FUNCTION registry.register_artifact(
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

DROP FUNCTION IF EXISTS registry.insert_artifact(registry.artifacts);

-- Register, of a list of requests, the first one for each asset that is new: all in one go.
-- Assets are made in the order of their keys, so that no two lists wait for each other.
CREATE OR REPLACE FUNCTION registry.register_new_assets(requests jsonb)
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
CREATE OR REPLACE FUNCTION registry.register_artifacts(requests jsonb)
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

-- request: {artifact_id, disposition, storage_tier (where the bytes lie now, if that is known), origin,
-- at}. Nothing is reactivated: an asset whose current artifact leaves has none until the next
-- registration. A purge removes inline content; archiving what is archived changes its tier at most.
CREATE OR REPLACE FUNCTION registry.move_disposition(
    request jsonb, OUT previous text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := (request ->> 'at')::timestamptz;
    target text := request ->> 'disposition';
    held record;
    tier text;
BEGIN
    SELECT * INTO held FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid);
    tier := coalesce(request ->> 'storage_tier', (held.artifact).storage_tier);
    previous := (held.artifact).status;
    IF previous IS NOT NULL AND NOT (target = 'deleted' AND (held.artifact).disposition = 'purged')
        AND NOT (target = 'archived' AND (held.artifact).processing <> 'completed')
        AND ((held.artifact).disposition <> target OR (held.artifact).storage_tier IS DISTINCT FROM tier) THEN
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
            'after', jsonb_build_object('disposition', target, 'storage_tier', tier)));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record
    WHERE record.artifact_id = (held.artifact).artifact_id;
END
$$;

-- Before a list of requests is taken one at a time within one transaction: share all their locations, and
-- answer with the places of the requests in the order in which `register_artifacts` locks their assets,
-- those that are new first. Another order would let two transactions wait for each other.
CREATE OR REPLACE FUNCTION registry.prepare_one_by_one(requests jsonb) RETURNS SETOF bigint
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
BEGIN
    PERFORM registry.share_locations(jsonb_path_query_array(requests, '$[*].artifact'));
    RETURN QUERY
    SELECT listed.position - 1
    FROM jsonb_array_elements(requests) WITH ORDINALITY AS listed (request, position)
    CROSS JOIN LATERAL registry.identity_key(
        listed.request ->> 'client_type', listed.request -> 'client_refs') AS wanted (key)
    ORDER BY EXISTS (SELECT FROM registry.assets AS asset WHERE asset.identity_key = wanted.key),
        wanted.key, listed.position;
END
$$;

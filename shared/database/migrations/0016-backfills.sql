-- What was there before: registering it in lists, hashing it later, and comparing store and registry.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- PL/pgSQL, for a function in SQL whose body is not strict is set up anew at each call: three of them a blob
-- cost a sixth of its registration.
CREATE OR REPLACE FUNCTION registry.member(scope text, name text, value jsonb) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN hashtextextended(scope || chr(10) || name || chr(10) || CASE jsonb_typeof(value)
        WHEN 'number' THEN trim_scale((value #>> '{}')::numeric)::text ELSE value::text END, 0);
END
$$;

-- How far the registering of what a container held has come.
CREATE TABLE registry.backfills (
    storage_account text NOT NULL,
    container text NOT NULL,
    prefix text NOT NULL,
    source text NOT NULL CONSTRAINT backfills_source_length CHECK (char_length(source) BETWEEN 1 AND 255),
    -- Prefixes reach 1,024 characters, which no btree entry can hold.
    backfill_key uuid PRIMARY KEY GENERATED ALWAYS AS (
        md5(storage_account || chr(10) || container || chr(10) || source || chr(10) || prefix)::uuid) STORED,
    started_observation bigint NOT NULL,
    marker text,  -- where the source goes on; null at its beginning
    counts jsonb NOT NULL DEFAULT '{}' CONSTRAINT backfills_counts_object CHECK (jsonb_typeof(counts) = 'object'),
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    completed_at timestamptz
);

-- Artifacts whose bytes somebody wants hashed, and when a message about each is (again) to be sent. Written
-- with the registration itself, so that no kill between the two loses one.
CREATE TABLE registry.unhashed (
    artifact_id uuid PRIMARY KEY,
    size_bytes bigint,
    due_at timestamptz NOT NULL
);
CREATE INDEX unhashed_by_due ON registry.unhashed (due_at, artifact_id);

-- A hash that was left for later is filled in once.
CREATE OR REPLACE TRIGGER artifacts_facts_immutable
    BEFORE UPDATE OF content_hash, size_bytes, row_count, content_type
    ON registry.artifacts FOR EACH ROW
    WHEN ((CASE OLD.processing
            WHEN 'failed' THEN (OLD.content_hash, OLD.size_bytes, OLD.row_count, OLD.content_type)
            WHEN 'completed' THEN
                (coalesce(OLD.content_hash, NEW.content_hash), OLD.size_bytes, OLD.row_count, OLD.content_type)
            ELSE (coalesce(OLD.content_hash, NEW.content_hash), coalesce(OLD.size_bytes, NEW.size_bytes),
                  coalesce(OLD.row_count, NEW.row_count), coalesce(OLD.content_type, NEW.content_type)) END)
        IS DISTINCT FROM (NEW.content_hash, NEW.size_bytes, NEW.row_count, NEW.content_type))
    EXECUTE FUNCTION registry.refuse('content facts never change once they are known');

-- request: {artifact_id, blob_etag (the state that was hashed), content_hash, origin, at}. Says whether the hash
-- was `recorded`, is `known` already, or belongs to another state than the artifact's: then it is `other`.
-- `gone` are artifacts that were deleted meanwhile. What has its answer is waited for no longer.
CREATE FUNCTION registry.record_hash(request jsonb, OUT outcome text)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    held registry.artifacts;
BEGIN
    SELECT (locked.artifact).* INTO held FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS locked;
    outcome := CASE
        WHEN held.artifact_id IS NULL OR held.disposition NOT IN ('live', 'archived') THEN 'gone'
        WHEN held.content_hash IS NOT NULL THEN 'known'
        WHEN held.blob_etag IS DISTINCT FROM request ->> 'blob_etag' OR held.processing <> 'completed' THEN 'other'
        ELSE 'recorded' END;
    IF outcome = 'recorded' THEN
        UPDATE registry.artifacts AS hashed SET content_hash = request ->> 'content_hash', updated_at = at
        WHERE hashed.artifact_id = held.artifact_id;
        PERFORM registry.record_event('content_hashed', held, request -> 'origin', at, jsonb_build_object(
            'before', jsonb_build_object('content_hash', null),
            'after', jsonb_build_object('content_hash', request ->> 'content_hash')));
    END IF;
    IF outcome <> 'other' THEN
        DELETE FROM registry.unhashed AS waiting WHERE waiting.artifact_id = (request ->> 'artifact_id')::uuid;
    END IF;
END
$$;

-- A blob of a list, with what it is to be registered as.
CREATE TYPE registry.listed_blob AS (
    place integer, client_type text, client_refs jsonb, overwrite boolean, register_unchanged boolean,
    asset_id uuid, artifact_id uuid,
    blob_path text, blob_version_id text, blob_etag text, uri text, storage_tier text, size_bytes bigint,
    content_type text, artifact_type text, metadata jsonb, stac_collection_id text, stac_item_id text,
    source_job_id text, source_task_id text, producer text, producer_version text,
    stage text, is_resumable boolean, is_final boolean, expires_at timestamptz
);

CREATE FUNCTION registry.share_locations_of(blobs registry.listed_blob[], common jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('registry.location'), locks.lock)
    FROM (
        SELECT DISTINCT registry.location_lock(registry.location_key(
            common ->> 'storage_account', common ->> 'container', blob.blob_path)) AS lock
        FROM unnest(blobs) AS blob
        ORDER BY lock
    ) AS locks;
END
$$;

-- Places of blobs at whose locations somebody has looked, and which of them are not, or no longer, as the list says.
-- Inventories are hearsay, and older than any look.
CREATE FUNCTION registry.sighted_blobs(
    blobs registry.listed_blob[], common jsonb, OUT outdated integer[], OUT others integer[]
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    SELECT coalesce(array_agg(sighted.place) FILTER (WHERE sighted.is_outdated), '{}'),
        coalesce(array_agg(sighted.place) FILTER (WHERE NOT sighted.is_outdated), '{}')
    INTO outdated, others
    FROM (
        SELECT blob.place, last.blob_etag IS DISTINCT FROM blob.blob_etag
            AND ((common -> 'is_hearsay')::boolean OR last.observation > (common ->> 'observation')::bigint) AS is_outdated
        FROM unnest(blobs) AS blob
        JOIN registry.sightings AS last ON last.location_key = registry.location_key(
            common ->> 'storage_account', common ->> 'container', blob.blob_path)
    ) AS sighted;
END
$$;

-- Blobs whose state needs no registration, with the artifact that says so: it is registered already, or
-- something newer is: than hearsay, anything that was ever observed, also by an artifact that has moved since.
-- Where only a sender told of the location, its word stands as long as it does not contradict the list.
CREATE FUNCTION registry.settled_blobs(blobs registry.listed_blob[], common jsonb)
RETURNS TABLE (place integer, outcome text, artifact_id uuid)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    of_account text := common ->> 'storage_account';
    of_container text := common ->> 'container';
    present bigint := common ->> 'observation';
    is_hearsay boolean := common -> 'is_hearsay';
BEGIN
    RETURN QUERY
    SELECT blob.place,
        CASE WHEN observed.blob_etag = blob.blob_etag OR num_nonnulls(observed.artifact_id, moved.artifact_id) = 0
            THEN 'unchanged' ELSE 'stale' END,
        coalesce(observed.artifact_id, moved.artifact_id, told.artifact_id)
    FROM unnest(blobs) AS blob
    JOIN registry.assets AS asset
      ON asset.identity_key = registry.identity_key(blob.client_type, blob.client_refs)
     AND asset.client_type = blob.client_type AND asset.client_refs = blob.client_refs
    LEFT JOIN LATERAL (
        SELECT seen.artifact_id, seen.blob_etag, seen.observation FROM registry.artifacts AS seen
        WHERE seen.location_key = registry.location_key(of_account, of_container, blob.blob_path)
          AND seen.asset_id = asset.asset_id AND seen.observation IS NOT NULL
        ORDER BY seen.observation DESC LIMIT 1
    ) AS observed ON true
    LEFT JOIN registry.left_locations AS moved
        ON moved.location_key = registry.location_key(of_account, of_container, blob.blob_path)
        AND moved.asset_id = asset.asset_id AND is_hearsay
    LEFT JOIN registry.artifacts AS told
        ON told.artifact_id = asset.current_artifact_id AND observed.artifact_id IS NULL
        AND told.location_key = registry.location_key(of_account, of_container, blob.blob_path)
        AND coalesce(told.blob_etag, blob.blob_etag) = blob.blob_etag
        AND coalesce(told.size_bytes, blob.size_bytes) = blob.size_bytes
    WHERE observed.blob_etag = blob.blob_etag OR observed.observation > present
       OR (is_hearsay AND observed.artifact_id IS NOT NULL)
       OR moved.artifact_id IS NOT NULL OR told.artifact_id IS NOT NULL;
END
$$;

-- Register, of a list of blobs, the first one for each asset that is new: all in one statement, for nothing has
-- to be looked up for those. Assets are made in the order of their keys, so that no two lists wait for each other.
CREATE FUNCTION registry.register_new_blobs(blobs registry.listed_blob[], common jsonb)
RETURNS TABLE (place integer, artifact_id uuid)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := common ->> 'at';
BEGIN
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT *, registry.identity_key(blob.client_type, blob.client_refs) AS key FROM unnest(blobs) AS blob
    ), made AS (
        INSERT INTO registry.assets AS asset
            (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
        SELECT first.asset_id, first.client_type, first.client_refs, 1, first.artifact_id, at
        FROM (SELECT DISTINCT ON (key) * FROM given ORDER BY key, place) AS first
        ON CONFLICT ON CONSTRAINT assets_identity DO NOTHING
        RETURNING asset.asset_id
    ), created AS (
        INSERT INTO registry.artifacts AS artifact (
            artifact_id, asset_id, revision,
            storage_backend, storage_account, container, blob_path, blob_version_id, blob_etag, observation,
            uri, storage_tier, size_bytes, content_type, artifact_type, metadata,
            stac_collection_id, stac_item_id, source_job_id, source_task_id, producer, producer_version,
            processing, stage, is_resumable, is_final, expires_at, created_at, updated_at)
        SELECT
            given.artifact_id, given.asset_id, 1,
            common ->> 'storage_backend', common ->> 'storage_account', common ->> 'container',
            given.blob_path, given.blob_version_id, given.blob_etag, (common ->> 'observation')::bigint,
            given.uri, given.storage_tier, given.size_bytes, given.content_type, given.artifact_type, given.metadata,
            given.stac_collection_id, given.stac_item_id, given.source_job_id, given.source_task_id,
            given.producer, given.producer_version,
            'completed', given.stage, given.is_resumable, given.is_final, given.expires_at, at, at
        FROM given JOIN made ON made.asset_id = given.asset_id
        RETURNING artifact.artifact_id, artifact.asset_id, artifact.revision
    ), told AS (
        INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, asset_id, artifact_id, details)
        SELECT at, 'artifact_creation', common #>> '{origin,actor}', common #>> '{origin,request_id}',
            created.asset_id, created.artifact_id, jsonb_build_object('revision', created.revision, 'supersedes', null)
        FROM created
    )
    SELECT given.place, given.artifact_id FROM given JOIN created ON created.artifact_id = given.artifact_id;
END
$$;

-- A blob of a list as registry.register_shared takes it.
CREATE FUNCTION registry.listed_request(blob registry.listed_blob, common jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object(
        'client_type', blob.client_type, 'client_refs', blob.client_refs, 'asset_id', blob.asset_id,
        'overwrite', blob.overwrite, 'register_unchanged', blob.register_unchanged,
        'is_repeatable', false, 'once_per_state', true, 'origin', common -> 'origin',
        'artifact', to_jsonb(blob) || jsonb_build_object(
            'storage_backend', common -> 'storage_backend', 'storage_account', common -> 'storage_account',
            'container', common -> 'container', 'observation', common -> 'observation',
            'processing', 'completed', 'created_at', common -> 'at'));
END
$$;

-- Register a list of blobs without their hashes. common: {storage_backend, storage_account, container,
-- observation (lower than that of anybody who saw a later state), is_hearsay, is_hashed_later, origin, at}.
-- Answers for each place with `created`, `unchanged`, `stale` or `conflict`, and the artifact that it is about.
CREATE FUNCTION registry.register_listed(listed json, common jsonb)
RETURNS TABLE (place integer, outcome text, artifact_id uuid)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
#variable_conflict use_column
DECLARE
    blobs registry.listed_blob[] := ARRAY(SELECT blob FROM json_populate_recordset(NULL::registry.listed_blob, listed) AS blob);
    sighted record;
    done integer[];
    created uuid[];
    unchanged uuid[];
    blob registry.listed_blob;
    answer record;
BEGIN
    PERFORM registry.share_locations_of(blobs, common);
    SELECT * INTO sighted FROM registry.sighted_blobs(blobs, common);
    IF sighted.outdated <> '{}' THEN
        RETURN QUERY SELECT known.place, 'stale', CAST(NULL AS uuid) FROM unnest(sighted.outdated) AS known (place);
        blobs := ARRAY(SELECT rest FROM unnest(blobs) AS rest WHERE rest.place <> ALL (sighted.outdated));
    END IF;
    -- Of what was looked at, more may be known than the list says: registry.register_shared asks.
    SELECT array_agg(new.place), array_agg(new.artifact_id) INTO done, created
    FROM registry.register_new_blobs(CASE WHEN sighted.others = '{}' THEN blobs
        ELSE ARRAY(SELECT rest FROM unnest(blobs) AS rest WHERE rest.place <> ALL (sighted.others)) END, common) AS new;
    RETURN QUERY SELECT known.place, 'created', known.artifact_id FROM unnest(done, created) AS known (place, artifact_id);
    IF cardinality(done) < cardinality(blobs) OR done IS NULL THEN
        blobs := ARRAY(SELECT rest FROM unnest(blobs) AS rest WHERE rest.place <> ALL (coalesce(done, '{}')));
        FOR place, outcome, artifact_id IN SELECT * FROM registry.settled_blobs(blobs, common) LOOP
            done := done || place;
            unchanged := unchanged || artifact_id;
            RETURN NEXT;
        END LOOP;
        FOR blob IN
            SELECT rest.* FROM unnest(blobs) AS rest
            WHERE rest.place <> ALL (coalesce(done, '{}'))
            ORDER BY registry.identity_key(rest.client_type, rest.client_refs), rest.place
        LOOP
            SELECT registered.outcome, (registered.artifact).artifact_id INTO answer
            FROM registry.register_shared(registry.listed_request(blob, common)) AS registered;
            place := blob.place;
            outcome := answer.outcome;
            artifact_id := answer.artifact_id;
            unchanged := unchanged || artifact_id;
            RETURN NEXT;
        END LOOP;
    END IF;
    IF (common -> 'is_hashed_later')::boolean THEN
        INSERT INTO registry.unhashed
        SELECT artifact.artifact_id, artifact.size_bytes, (common ->> 'at')::timestamptz
        FROM unnest(created || unchanged) AS wanted (artifact_id)
        JOIN registry.artifacts AS artifact ON artifact.artifact_id = wanted.artifact_id
        WHERE artifact.content_hash IS NULL AND artifact.processing = 'completed'
          AND artifact.disposition = 'live' AND artifact.blob_etag IS NOT NULL
          AND artifact.storage_tier IS DISTINCT FROM 'Archive'  -- nobody can read it
        ORDER BY artifact.artifact_id  -- so that no two lists wait for each other
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;

-- Locations that a comparison of store and registry has found in the store. Of no worth after a crash: what a
-- comparison takes for missing is looked up in the store once more.
CREATE UNLOGGED TABLE registry.reconciled (
    run_id uuid,
    location_key uuid,
    PRIMARY KEY (run_id, location_key)
);

-- Forget some of what runs have remembered; how much that was. In the order of the index, for the planner would
-- read all that is remembered once for each page.
CREATE FUNCTION registry.forget_reconciled(first_run uuid, last_run uuid, most integer) RETURNS bigint
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM registry.reconciled WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM registry.reconciled WHERE run_id BETWEEN first_run AND last_run
        ORDER BY run_id, location_key LIMIT most));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;

-- Compare a page of a container's listing with what is registered, and remember its locations for the other way
-- round. Told are only the blobs that are not as registered: `unregistered`; `etag` or `size` of the registered
-- ones differs; `returned`, which were missing. What was deleted on purpose, its bytes kept, is as registered.
CREATE FUNCTION registry.compare_listed(
    run uuid, account text, of_container text, paths text[], etags text[], sizes bigint[]
) RETURNS TABLE (place bigint, finding text)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    INSERT INTO registry.reconciled
    SELECT run, registry.location_key(account, of_container, path) FROM unnest(paths) AS path
    ON CONFLICT DO NOTHING;
    RETURN QUERY
    SELECT told.place, told.finding
    FROM unnest(paths, etags, sizes) WITH ORDINALITY AS listed (path, etag, size, position)
    CROSS JOIN LATERAL (
        SELECT listed.position - 1 AS place, CASE
            WHEN bool_or(here.is_kept AND here.is_state AND here.is_size AND here.missing_since IS NULL) THEN NULL
            WHEN bool_or(here.is_kept AND here.is_state AND here.is_size) THEN 'returned'
            WHEN bool_or(here.is_kept AND here.is_state) THEN 'size'
            WHEN bool_or(here.is_state) THEN NULL
            WHEN bool_or(here.is_kept) THEN 'etag'
            ELSE 'unregistered' END AS finding
        FROM (
            SELECT known.missing_since, known.disposition IN ('live', 'archived') AS is_kept,
                coalesce(known.blob_etag, listed.etag) = listed.etag AS is_state,
                coalesce(known.size_bytes, listed.size) = listed.size AS is_size
            FROM registry.artifacts AS known
            WHERE known.location_key = registry.location_key(account, of_container, listed.path)
            ORDER BY known.asset_id DESC, known.observation DESC  -- the newest states first
            LIMIT 100
        ) AS here
    ) AS told
    WHERE told.finding IS NOT NULL;
END
$$;

-- A page of the artifacts of a container that are not deleted, in the order of artifacts_by_path, and whether
-- their locations were found in the store. The next page is behind the last row.
CREATE FUNCTION registry.compare_registered(
    run uuid, account text, of_container text, prefix text, after_path text, after_id uuid, most integer
) RETURNS TABLE (blob_path text, artifact_id uuid, blob_version_id text, is_listed boolean, is_missing boolean)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    low text := left(prefix, 400);
    high text := low || chr(1114111);  -- comes after any character of a name
BEGIN
    RETURN QUERY
    SELECT here.blob_path, here.artifact_id, here.blob_version_id, EXISTS (
            SELECT FROM registry.reconciled AS seen
            WHERE seen.run_id = run AND seen.location_key = here.location_key),
        here.missing_since IS NOT NULL
    FROM registry.artifacts AS here
    WHERE here.storage_account = account AND here.container = of_container
      AND (left(here.blob_path, 400) COLLATE "C", here.artifact_id) > (left(after_path, 400) COLLATE "C", after_id)
      AND left(here.blob_path, 400) COLLATE "C" >= low COLLATE "C"
      AND left(here.blob_path, 400) COLLATE "C" < high COLLATE "C"
      AND here.blob_path IS NOT NULL AND here.disposition IN ('live', 'archived')
    ORDER BY left(here.blob_path, 400) COLLATE "C", here.artifact_id
    LIMIT most;
END
$$;

-- What becomes of locations after something was registered there: the blob is removed, tiered, or moved.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE registry.artifacts ADD COLUMN missing_since timestamptz;

-- Blob names reach 1,024 characters, which no btree entry can hold: 400 of them are an order that is good
-- enough to page by.
CREATE INDEX artifacts_by_path ON registry.artifacts
    (storage_account, container, (left(blob_path, 400) COLLATE "C"), artifact_id)
    WHERE disposition IN ('live', 'archived') AND blob_path IS NOT NULL;
CREATE INDEX artifacts_missing ON registry.artifacts (location_key)
    WHERE missing_since IS NOT NULL AND disposition IN ('live', 'archived');

-- The last look at a location: see docs/decisions.md, "A look at a location". Kept as long as a registration may
-- be under way that does not know of it.
CREATE TABLE registry.sightings (
    location_key uuid PRIMARY KEY,
    observation bigint NOT NULL,  -- taken before the store was asked
    blob_etag text,  -- null: nothing was there
    storage_tier text,
    seen_at timestamptz NOT NULL
);
CREATE INDEX sightings_by_age ON registry.sightings (seen_at);

-- What an asset had seen of a location that its artifact has left: late readers do not win there either.
CREATE TABLE registry.left_locations (
    location_key uuid NOT NULL,
    asset_id uuid NOT NULL REFERENCES registry.assets,
    observation bigint NOT NULL,
    artifact_id uuid NOT NULL REFERENCES registry.artifacts,
    PRIMARY KEY (location_key, asset_id)
);

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
        asset.client_type, asset.client_refs, artifact.missing_since
    FROM registry.artifacts AS artifact JOIN registry.assets AS asset USING (asset_id);

CREATE FUNCTION registry.record_of(artifact registry.artifacts, client_type text, client_refs jsonb)
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
        client_type, client_refs, artifact.missing_since);
END
$$;

-- A location changes only as a whole, together with the state that was seen there: the bytes moved.
CREATE OR REPLACE TRIGGER artifacts_content_immutable
    BEFORE UPDATE OF artifact_id, asset_id, revision, storage_region, artifact_type, stac_collection_id, stac_item_id,
        source_job_id, source_task_id, run_id, step_id, producer, producer_version, created_at
    ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.artifact_id, OLD.asset_id, OLD.revision, OLD.storage_region, OLD.artifact_type, OLD.stac_collection_id,
           OLD.stac_item_id, OLD.source_job_id, OLD.source_task_id, OLD.run_id, OLD.step_id, OLD.producer,
           OLD.producer_version, OLD.created_at)
        IS DISTINCT FROM
          (NEW.artifact_id, NEW.asset_id, NEW.revision, NEW.storage_region, NEW.artifact_type, NEW.stac_collection_id,
           NEW.stac_item_id, NEW.source_job_id, NEW.source_task_id, NEW.run_id, NEW.step_id, NEW.producer,
           NEW.producer_version, NEW.created_at))
    EXECUTE FUNCTION registry.refuse('content never changes after it was registered');
CREATE TRIGGER artifacts_location_immutable
    BEFORE UPDATE OF storage_backend, storage_account, container, blob_path, uri
    ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.storage_backend, OLD.storage_account, OLD.container, OLD.blob_path, OLD.uri)
        IS DISTINCT FROM (NEW.storage_backend, NEW.storage_account, NEW.container, NEW.blob_path, NEW.uri)
        AND (OLD.location_key IS NULL OR NEW.blob_etag IS NULL OR OLD.content_hash IS NULL
             OR NEW.observation IS NOT DISTINCT FROM OLD.observation OR NEW.observation IS NULL
             OR NEW.disposition NOT IN ('live', 'archived')))
    EXECUTE FUNCTION registry.refuse('content never changes after it was registered');

-- A copy is a place that still has the bytes: a missing one is none.
CREATE OR REPLACE FUNCTION registry.describe_duplicates(wanted text) RETURNS registry.duplicate_group
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    most CONSTANT integer := 1000;
    described registry.duplicate_group;
BEGIN
    WITH found AS MATERIALIZED (
        SELECT * FROM registry.artifacts
        WHERE content_hash = wanted AND (CASE WHEN status = 'deleted' THEN 1 ELSE 0 END) = 0
        ORDER BY asset_id, artifact_id LIMIT most + 1
    ), counted AS MATERIALIZED (
        SELECT member.*, asset.client_type
        FROM (SELECT * FROM found LIMIT most) AS member JOIN registry.assets AS asset USING (asset_id)
    ), places AS (
        SELECT DISTINCT CASE
            WHEN member.blob_version_id IS NOT NULL AND member.location_key IS NOT NULL
                THEN 'version ' || member.location_key || ' ' || member.blob_version_id
            WHEN member.location_key IS NOT NULL THEN 'location ' || member.location_key
            WHEN member.uri IS NOT NULL THEN 'uri ' || md5(member.uri)
            ELSE 'inline ' || member.artifact_id END AS place
        FROM counted AS member
        WHERE member.processing = 'completed' AND member.missing_since IS NULL
          AND num_nonnulls(member.location_key, member.uri, member.data) > 0
          AND (member.location_key IS NULL OR member.blob_version_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM (
                SELECT * FROM registry.artifacts AS there WHERE there.location_key = member.location_key
                ORDER BY there.asset_id DESC, there.observation DESC LIMIT 100
            ) AS other
            WHERE other.processing = 'completed' AND other.content_hash IS DISTINCT FROM wanted
              AND CASE WHEN num_nulls(other.observation, member.observation) = 0
                    THEN other.observation > member.observation
                    ELSE (other.created_at, other.artifact_id) > (member.created_at, member.artifact_id) END))
    )
    SELECT wanted, max(member.size_bytes), count(*), count(DISTINCT member.asset_id),
        (SELECT jsonb_object_agg(client.client_type, client.count)
         FROM (SELECT client_type, count(*) FROM counted GROUP BY client_type) AS client),
        (SELECT count(*) FROM places), 0, (SELECT count(*) FROM found) > most
    INTO described FROM counted AS member;
    described.duplicate_bytes := greatest(described.copies - 1, 0) * coalesce(described.size_bytes, 0)::numeric;
    RETURN described;
END
$$;

-- An artifact as a look at its location tells it. One that names a version of the blob is told of where that is the
-- state that was found, or where the blob is gone and so is the version: `versions` are those.
CREATE FUNCTION registry.as_sighted(INOUT artifact registry.artifacts, sighting registry.sightings, versions text[])
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    is_told boolean := artifact.blob_version_id IS NULL OR artifact.blob_version_id = ANY (versions);
BEGIN
    IF sighting.blob_etag IS NULL THEN
        IF is_told AND (artifact.observation IS NULL OR artifact.observation < sighting.observation) THEN
            artifact.missing_since := coalesce(artifact.missing_since, sighting.seen_at);
        END IF;
        RETURN;
    END IF;
    IF is_told OR artifact.blob_etag = sighting.blob_etag THEN
        artifact.missing_since := NULL;
    END IF;
    IF artifact.blob_etag = sighting.blob_etag THEN
        artifact.storage_tier := coalesce(sighting.storage_tier, artifact.storage_tier);
    END IF;
END
$$;

-- What was seen of a blob, with what a look at its location has told since.
CREATE FUNCTION registry.known_since(INOUT new registry.artifacts)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    sighting registry.sightings;
BEGIN
    SELECT * INTO sighting FROM registry.sightings
    WHERE location_key = registry.location_key(new.storage_account, new.container, new.blob_path);
    IF FOUND THEN
        new := registry.as_sighted(new, sighting, '{}');
    END IF;
END
$$;

-- Functions of before, in their new form.
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
        missing_since, created_at, updated_at)
    SELECT
        given.artifact_id, given.asset_id, given.revision, given.supersedes,
        given.storage_backend, given.storage_account, given.container, given.blob_path, given.blob_version_id,
        given.blob_etag, given.observation, given.storage_region, given.uri, given.storage_tier,
        given.content_hash, given.size_bytes, given.row_count, given.content_type, given.artifact_type, given.data,
        given.metadata, given.stac_collection_id, given.stac_item_id, given.source_job_id, given.source_task_id,
        given.run_id, given.step_id, given.producer, given.producer_version, given.processing, given.stage,
        given.is_resumable, given.is_final, given.expires_at, given.missing_since, given.created_at,
        given.created_at
    FROM unnest(new) AS given
    RETURNING *;
END
$$;

CREATE OR REPLACE FUNCTION registry.standing_artifact(
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
        IF outcome IS NULL THEN
            SELECT moved.* INTO standing
            FROM registry.left_locations AS was JOIN registry.artifacts AS moved USING (artifact_id)
            WHERE was.location_key = registry.location_key(new.storage_account, new.container, new.blob_path)
              AND was.asset_id = asset.asset_id AND was.observation > new.observation;
            outcome := CASE WHEN FOUND THEN 'stale' END;
        END IF;
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

CREATE OR REPLACE FUNCTION registry.register_shared(
    request jsonb, OUT outcome text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql AS $$
DECLARE
    new registry.artifacts := jsonb_populate_record(NULL::registry.artifacts, request -> 'artifact');
    locked record;
    answer record;
BEGIN
    IF new.observation IS NOT NULL THEN
        new := registry.known_since(new);
    END IF;
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
        artifact := registry.record_of(new, (locked.asset).client_type, (locked.asset).client_refs);
        RETURN;
    END IF;
    IF outcome = 'unchanged' THEN
        PERFORM registry.refresh_location(answer.standing, new, request -> 'origin');
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record
    WHERE record.artifact_id = (answer.standing).artifact_id;
END
$$;

-- What comes in lists over HTTP is a sender's word: no look at a location tells more of it.
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
    SELECT known.place, registry.record_of(created, known.client_type, known.client_refs)
    FROM unnest(new) AS created
    JOIN unnest(places, asset_ids, client_types, client_refs) AS known (place, asset_id, client_type, client_refs)
        ON known.asset_id = created.asset_id;
END
$$;

-- Take the next observation of a blob, and say what the asset already holds of this state of it, and whether an
-- artifact at its location is taken for missing. A state that the store shows now can only be the newest one
-- seen: older ones never come back.
CREATE FUNCTION registry.observe(
    of_type text, of_refs jsonb, account text, of_container text, path text, etag text
) RETURNS TABLE (observation bigint, artifact_id uuid, is_missing boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    key uuid := registry.location_key(account, of_container, path);
BEGIN
    RETURN QUERY
    SELECT nextval('registry.observations'), (
        SELECT CASE WHEN seen.blob_etag = etag THEN seen.artifact_id END
        FROM registry.assets AS asset
        JOIN registry.artifacts AS seen
          ON seen.asset_id = asset.asset_id AND seen.location_key = key AND seen.observation IS NOT NULL
        WHERE asset.identity_key = registry.identity_key(of_type, of_refs) AND asset.client_refs = of_refs
        ORDER BY seen.observation DESC
        LIMIT 1
    ), EXISTS (
        SELECT FROM registry.artifacts AS lost
        WHERE lost.location_key = key AND lost.missing_since IS NOT NULL AND lost.disposition IN ('live', 'archived')
          AND (lost.blob_version_id IS NULL OR lost.blob_etag = etag));
END
$$;

-- Hold locations alone, as whoever removes bytes does: nobody registers anything there meanwhile.
CREATE FUNCTION registry.hold_locations(keys uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('registry.location'), lock)
    FROM (SELECT DISTINCT registry.location_lock(key) AS lock FROM unnest(keys) AS key ORDER BY lock) AS locks
    WHERE lock IS NOT NULL;
END
$$;

-- Keep a look at a location, unless a later one is known: then the answer is null. Forgets a few old ones, after
-- its own is kept and none that others hold: so that no two looks wait for each other.
CREATE FUNCTION registry.keep_sighting(INOUT sighting registry.sightings)
LANGUAGE plpgsql AS $$
DECLARE
    given registry.sightings := sighting;
BEGIN
    INSERT INTO registry.sightings AS known SELECT given.*
    ON CONFLICT (location_key) DO UPDATE
    SET observation = EXCLUDED.observation, blob_etag = EXCLUDED.blob_etag, storage_tier = EXCLUDED.storage_tier,
        seen_at = EXCLUDED.seen_at
    WHERE known.observation <= EXCLUDED.observation
    RETURNING * INTO sighting;
    DELETE FROM registry.sightings AS forgotten
    WHERE forgotten.location_key IN (
        SELECT old.location_key FROM registry.sightings AS old
        WHERE old.seen_at < given.seen_at - interval '7 days'
        ORDER BY old.seen_at LIMIT 10
        FOR UPDATE SKIP LOCKED);
END
$$;

-- What a look may change of an artifact, as an event tells it.
CREATE FUNCTION registry.told_presence(artifact registry.artifacts) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('missing_since', artifact.missing_since, 'storage_tier', artifact.storage_tier);
END
$$;

CREATE FUNCTION registry.follow_sighting(
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
    IF is_deleted AND new.missing_since IS NOT NULL THEN
        PERFORM registry.move_disposition(jsonb_build_object(
            'artifact_id', old.artifact_id, 'disposition', 'deleted', 'origin', origin, 'at', sighting.seen_at));
    END IF;
END
$$;

-- The next artifacts at a location that are not deleted, by their ids.
CREATE FUNCTION registry.artifacts_at(account text, of_container text, path text, after uuid, most integer)
RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT artifact_id FROM registry.artifacts
        WHERE storage_account = account AND container = of_container
          AND left(blob_path, 400) COLLATE "C" = left(path, 400) COLLATE "C" AND blob_path = path
          AND blob_path IS NOT NULL AND disposition IN ('live', 'archived') AND artifact_id > after
        ORDER BY left(blob_path, 400) COLLATE "C", artifact_id LIMIT most);
END
$$;

-- Follow a look at a location on a page of the artifacts there. The last look counts: one with a lower number than
-- one that is known changes nothing.
-- request: {storage_account, container, blob_path, observation (taken before the store was asked), blob_etag and
-- storage_tier of what was found (null: nothing), versions (see as_sighted), deleted: {client_type, client_refs}
-- of the asset whose artifacts are deleted with their blob (null: none), after (an artifact), most, origin, at}.
-- The next page is behind `next_id`; `unclear` are versions that artifacts of this page name, where the blob is
-- gone: these are missing if the version is gone as well.
CREATE FUNCTION registry.sight_location(request jsonb, OUT next_id uuid, OUT unclear text[])
LANGUAGE plpgsql SET lock_timeout = '10s' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    sighting registry.sightings := ROW(
        registry.location_key(request ->> 'storage_account', request ->> 'container', request ->> 'blob_path'),
        request -> 'observation', request ->> 'blob_etag', request ->> 'storage_tier', request ->> 'at');
    versions text[] := ARRAY(SELECT jsonb_array_elements_text(request -> 'versions'));
    most integer := request -> 'most';
    deleted_key uuid := registry.identity_key(request #>> '{deleted,client_type}', request #> '{deleted,client_refs}');
    page uuid[];
    old registry.artifacts;
BEGIN
    PERFORM registry.hold_locations(ARRAY[sighting.location_key]);
    sighting := registry.keep_sighting(sighting);
    IF sighting.location_key IS NULL THEN
        RETURN;
    END IF;
    page := registry.artifacts_at(request ->> 'storage_account', request ->> 'container', request ->> 'blob_path',
        (request ->> 'after')::uuid, most);
    PERFORM FROM registry.assets AS owner
    WHERE owner.asset_id IN (SELECT here.asset_id FROM registry.artifacts AS here WHERE here.artifact_id = ANY (page))
    ORDER BY owner.identity_key FOR NO KEY UPDATE;
    FOR old IN SELECT * FROM registry.artifacts AS here WHERE here.artifact_id = ANY (page)
               AND here.disposition IN ('live', 'archived') LOOP
        PERFORM registry.follow_sighting(old, sighting, versions, sighting.blob_etag IS NULL AND EXISTS (
            SELECT FROM registry.assets AS owner
            WHERE owner.asset_id = old.asset_id AND owner.identity_key = deleted_key
              AND owner.client_refs = request #> '{deleted,client_refs}'), request -> 'origin');
    END LOOP;
    next_id := page[most];
    unclear := ARRAY(
        SELECT DISTINCT here.blob_version_id FROM registry.artifacts AS here
        WHERE here.artifact_id = ANY (page) AND here.disposition IN ('live', 'archived')
          AND here.blob_version_id <> ALL (versions) AND here.missing_since IS NULL AND sighting.blob_etag IS NULL);
END
$$;

CREATE FUNCTION registry.told_location(artifact registry.artifacts) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object(
        'storage_account', artifact.storage_account, 'container', artifact.container,
        'blob_path', artifact.blob_path, 'blob_etag', artifact.blob_etag,
        'blob_version_id', artifact.blob_version_id, 'missing_since', artifact.missing_since);
END
$$;

-- As before, but a location may change while it is waited for: whoever asked has to ask again then, for a second
-- lock would be taken out of order.
CREATE OR REPLACE FUNCTION registry.hold_bytes(wanted uuid, OUT artifact registry.artifact_records, OUT is_shared boolean)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    held uuid := (SELECT located.location_key FROM registry.artifacts AS located WHERE located.artifact_id = wanted);
BEGIN
    PERFORM registry.hold_locations(ARRAY[held]);
    SELECT * INTO artifact FROM registry.hold_artifact(wanted);
    IF artifact.location_key <> held THEN
        RAISE EXCEPTION 'the artifact has moved' USING ERRCODE = 'serialization_failure';
    END IF;
    is_shared := EXISTS (
        SELECT FROM registry.artifacts AS other
        WHERE other.location_key = artifact.location_key AND other.artifact_id <> artifact.artifact_id
          AND other.disposition IN ('live', 'archived')
          AND (artifact.blob_version_id IS NULL OR other.blob_version_id IS NULL
               OR other.blob_version_id = artifact.blob_version_id));
END
$$;

-- The bytes of an artifact were found elsewhere, and nothing any more where it points: it moves there.
-- request: {artifact_id, content_hash, left: {storage_account, container, blob_path}, absence (taken before the
-- store was asked whether anything is left there), artifact: {storage_backend, storage_account, container, blob_path,
-- blob_version_id, blob_etag, observation, uri, storage_tier} where the bytes were found, origin, at}.
CREATE FUNCTION registry.move_location(request jsonb, OUT is_moved boolean)
LANGUAGE plpgsql SET lock_timeout = '10s' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    left_key uuid := registry.location_key(
        request #>> '{left,storage_account}', request #>> '{left,container}', request #>> '{left,blob_path}');
    target registry.artifacts := jsonb_populate_record(NULL::registry.artifacts, request -> 'artifact');
    absence bigint := request -> 'absence';
    at timestamptz := request ->> 'at';
    old registry.artifacts;
    new registry.artifacts;
BEGIN
    PERFORM registry.hold_locations(
        ARRAY[left_key, registry.location_key(target.storage_account, target.container, target.blob_path)]);
    SELECT (held.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS held;
    is_moved := coalesce(
        old.disposition IN ('live', 'archived') AND old.location_key = left_key
        AND old.content_hash = request ->> 'content_hash' AND coalesce(old.observation < absence, true), false)
        AND NOT EXISTS (SELECT FROM registry.sightings AS later WHERE later.location_key = left_key
                        AND later.observation > absence AND later.blob_etag IS NOT NULL);
    IF NOT is_moved THEN
        RETURN;
    END IF;
    new := registry.known_since(jsonb_populate_record(old, (request -> 'artifact') || '{"missing_since": null}'));
    INSERT INTO registry.left_locations AS known
    SELECT left_key, old.asset_id, old.observation, old.artifact_id WHERE old.observation IS NOT NULL
    ON CONFLICT (location_key, asset_id) DO UPDATE
    SET observation = EXCLUDED.observation, artifact_id = EXCLUDED.artifact_id
    WHERE known.observation < EXCLUDED.observation;
    UPDATE registry.artifacts AS moved
    SET storage_backend = new.storage_backend, storage_account = new.storage_account, container = new.container,
        blob_path = new.blob_path, blob_version_id = new.blob_version_id, blob_etag = new.blob_etag,
        observation = new.observation, uri = new.uri, storage_tier = new.storage_tier,
        missing_since = new.missing_since, updated_at = at
    WHERE moved.artifact_id = old.artifact_id;
    PERFORM registry.record_event('location_moved', old, request -> 'origin', at, jsonb_build_object(
        'before', registry.told_location(old), 'after', registry.told_location(new)));
END
$$;

-- Names of blobs in a folder to which artifacts point that are not deleted, in the order of artifacts_by_path.
-- Names of several artifacts come as often; the next page is behind the last row.
CREATE FUNCTION registry.paths_under(
    account text, of_container text, folder text, after_path text, after_id uuid, most integer
) RETURNS TABLE (blob_path text, artifact_id uuid)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    low text := left(folder || '/', 400);
    high text := CASE WHEN char_length(folder) < 400 THEN folder || '0' ELSE low || '0' END;  -- 0 comes next to /
BEGIN
    RETURN QUERY
    SELECT here.blob_path, here.artifact_id FROM registry.artifacts AS here
    WHERE here.storage_account = account AND here.container = of_container
      AND (left(here.blob_path, 400) COLLATE "C", here.artifact_id) > (left(after_path, 400) COLLATE "C", after_id)
      AND left(here.blob_path, 400) COLLATE "C" >= low COLLATE "C"
      AND left(here.blob_path, 400) COLLATE "C" < high COLLATE "C"
      AND starts_with(here.blob_path, folder || '/')
      AND here.blob_path IS NOT NULL AND here.disposition IN ('live', 'archived')
    ORDER BY left(here.blob_path, 400) COLLATE "C", here.artifact_id
    LIMIT most;
END
$$;

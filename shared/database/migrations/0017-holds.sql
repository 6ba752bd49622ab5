-- Holds: what is held is not archived, deleted or purged, by nobody.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- No foreign keys: neither artifacts nor assets are ever removed, and a key's lock would be taken out of order.
CREATE TABLE registry.holds (
    hold_id uuid PRIMARY KEY,
    artifact_id uuid,
    asset_id uuid,
    selector jsonb CONSTRAINT holds_selector_object CHECK (jsonb_typeof(selector) = 'object' AND selector <> '{}'),
    reason text NOT NULL CONSTRAINT holds_reason_length CHECK (char_length(reason) BETWEEN 1 AND 1000),
    owner text NOT NULL CONSTRAINT holds_owner_length CHECK (char_length(owner) BETWEEN 1 AND 255),
    until timestamptz,
    placed_at timestamptz NOT NULL,
    released_at timestamptz,
    released_by text CONSTRAINT holds_released_by_length CHECK (char_length(released_by) BETWEEN 1 AND 255),
    CONSTRAINT holds_one_target CHECK (num_nonnulls(artifact_id, asset_id, selector) = 1),
    CONSTRAINT holds_released_by_somebody CHECK ((released_at IS NULL) = (released_by IS NULL))
);
CREATE INDEX holds_of_artifacts ON registry.holds (artifact_id, hold_id) WHERE artifact_id IS NOT NULL AND released_at IS NULL;
CREATE INDEX holds_of_assets ON registry.holds (asset_id, hold_id) WHERE asset_id IS NOT NULL AND released_at IS NULL;
CREATE INDEX holds_by_selector ON registry.holds (hold_id) WHERE selector IS NOT NULL AND released_at IS NULL;
CREATE INDEX holds_unreleased ON registry.holds (hold_id) WHERE released_at IS NULL;

CREATE TRIGGER holds_kept
    BEFORE UPDATE ON registry.holds FOR EACH ROW
    WHEN (OLD.released_at IS NOT NULL
          OR (OLD.hold_id, OLD.artifact_id, OLD.asset_id, OLD.selector, OLD.reason, OLD.owner, OLD.until, OLD.placed_at)
             IS DISTINCT FROM
             (NEW.hold_id, NEW.artifact_id, NEW.asset_id, NEW.selector, NEW.reason, NEW.owner, NEW.until, NEW.placed_at))
    EXECUTE FUNCTION registry.refuse('a hold is released once, and never rewritten');
CREATE TRIGGER holds_never_removed
    BEFORE DELETE ON registry.holds FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('the record is kept');
CREATE TRIGGER holds_never_truncated
    BEFORE TRUNCATE ON registry.holds FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('the record is kept');

-- Whether an artifact is one of those that a selector means: everything that the selector says is so.
CREATE FUNCTION registry.selects(selector jsonb, artifact registry.artifacts) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(artifact.storage_account = selector ->> 'storage_account', NOT selector ? 'storage_account')
        AND coalesce(artifact.container = selector ->> 'container', NOT selector ? 'container')
        AND coalesce(starts_with(artifact.blob_path, selector ->> 'path_prefix'), NOT selector ? 'path_prefix')
        AND coalesce(artifact.artifact_type = selector ->> 'artifact_type', NOT selector ? 'artifact_type')
        AND coalesce(artifact.stage = selector ->> 'stage', NOT selector ? 'stage')
        AND coalesce(artifact.processing = selector ->> 'processing', NOT selector ? 'processing')
        AND coalesce(artifact.status = selector ->> 'status', NOT selector ? 'status')
        AND coalesce(artifact.size_bytes >= (selector ->> 'min_size_bytes')::bigint, NOT selector ? 'min_size_bytes')
        AND coalesce(artifact.size_bytes <= (selector ->> 'max_size_bytes')::bigint, NOT selector ? 'max_size_bytes')
        AND coalesce(artifact.metadata @> (selector -> 'metadata'), true)
        AND (NOT selector ?| '{client_type,client_refs}' OR EXISTS (
            SELECT FROM registry.assets AS asset
            WHERE asset.asset_id = artifact.asset_id
              AND coalesce(asset.client_type = selector ->> 'client_type', true)
              AND coalesce(asset.client_refs @> (selector -> 'client_refs'), true)));
END
$$;

-- Whoever acts on artifacts shares this lock until commit, taken before any other; whoever places a hold has it
-- alone. So nothing is under way any more, nor begins, on what is held, once its hold is placed.
CREATE FUNCTION registry.share_holds() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('registry.holds'), 0);
END
$$;

-- A hold under which an artifact is, if there is one: its own, its asset's, or one by a selector.
CREATE FUNCTION registry.hold_on(artifact registry.artifacts, at timestamptz) RETURNS registry.holds
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    found registry.holds;
BEGIN
    SELECT * INTO found FROM registry.holds AS hold
    WHERE hold.artifact_id = artifact.artifact_id AND hold.released_at IS NULL AND coalesce(hold.until > at, true)
    ORDER BY hold.hold_id LIMIT 1;
    IF found.hold_id IS NULL THEN
        SELECT * INTO found FROM registry.holds AS hold
        WHERE hold.asset_id = artifact.asset_id AND hold.released_at IS NULL AND coalesce(hold.until > at, true)
        ORDER BY hold.hold_id LIMIT 1;
    END IF;
    IF found.hold_id IS NULL THEN
        SELECT * INTO found FROM registry.holds AS hold
        WHERE hold.selector IS NOT NULL AND hold.released_at IS NULL AND coalesce(hold.until > at, true)
          AND registry.selects(hold.selector, artifact)
        ORDER BY hold.hold_id LIMIT 1;
    END IF;
    RETURN found;
END
$$;

CREATE FUNCTION registry.require_unheld(artifact registry.artifacts, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    hold registry.holds := registry.hold_on(artifact, at);
BEGIN
    IF hold.hold_id IS NOT NULL THEN
        RAISE EXCEPTION 'the artifact is held' USING
            ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'artifacts_held', DETAIL = hold.hold_id::text;
    END IF;
END
$$;

-- Place a hold. request: {hold_id, artifact_id, asset_id, selector (one of the three), reason, until, origin, at}.
-- `outcome` is 'placed', 'unknown' where there is no such artifact or asset, or 'too many' selectors.
CREATE FUNCTION registry.place_hold(request jsonb, OUT outcome text, OUT hold registry.holds)
LANGUAGE plpgsql SET lock_timeout = '30s' AS $$  -- whoever acts meanwhile may be waiting for the store
DECLARE
    most_selectors CONSTANT integer := 100;  -- each is held against every artifact that is to be acted on
    new registry.holds := jsonb_populate_record(NULL::registry.holds, request || jsonb_build_object(
        'owner', request #> '{origin,actor}', 'placed_at', request -> 'at'));
    of_asset uuid := new.asset_id;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('registry.holds'), 0);
    IF new.artifact_id IS NOT NULL THEN
        SELECT known.asset_id INTO of_asset FROM registry.artifacts AS known WHERE known.artifact_id = new.artifact_id;
    ELSE
        SELECT known.asset_id INTO of_asset FROM registry.assets AS known WHERE known.asset_id = new.asset_id;
    END IF;
    outcome := CASE
        WHEN new.selector IS NULL AND of_asset IS NULL THEN 'unknown'
        WHEN new.selector IS NOT NULL AND most_selectors <= (
            SELECT count(*) FROM registry.holds AS known
            WHERE known.selector IS NOT NULL AND known.released_at IS NULL
              AND coalesce(known.until > new.placed_at, true)) THEN 'too many'
        ELSE 'placed' END;
    IF outcome = 'placed' THEN
        INSERT INTO registry.holds SELECT new.* RETURNING * INTO hold;
        INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, asset_id, artifact_id, details)
        VALUES (new.placed_at, 'hold_placed', new.owner, request #>> '{origin,request_id}', of_asset, new.artifact_id,
            jsonb_strip_nulls(jsonb_build_object(
                'hold_id', new.hold_id, 'selector', new.selector, 'reason', new.reason, 'until', new.until)));
    END IF;
END
$$;

-- Release a hold. request: {hold_id, origin, at}. One that was released stays as it is; null where there is none.
CREATE FUNCTION registry.release_hold(request jsonb, OUT hold registry.holds)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
BEGIN
    UPDATE registry.holds AS released
    SET released_at = (request ->> 'at')::timestamptz, released_by = request #>> '{origin,actor}'
    WHERE released.hold_id = (request ->> 'hold_id')::uuid AND released.released_at IS NULL
    RETURNING * INTO hold;
    IF hold.hold_id IS NULL THEN
        SELECT * INTO hold FROM registry.holds AS known WHERE known.hold_id = (request ->> 'hold_id')::uuid;
        RETURN;
    END IF;
    INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, asset_id, artifact_id, details)
    SELECT hold.released_at, 'hold_released', hold.released_by, request #>> '{origin,request_id}',
        coalesce(hold.asset_id, (SELECT held.asset_id FROM registry.artifacts AS held WHERE held.artifact_id = hold.artifact_id)),
        hold.artifact_id, jsonb_build_object('hold_id', hold.hold_id, 'reason', hold.reason);
END
$$;

-- Functions of before, which act: each shares the lock of holds first, and refuses what is held.
CREATE OR REPLACE FUNCTION registry.hold_locations(keys uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.share_holds();
    PERFORM pg_advisory_xact_lock(hashtext('registry.location'), lock)
    FROM (SELECT DISTINCT registry.location_lock(key) AS lock FROM unnest(keys) AS key ORDER BY lock) AS locks
    WHERE lock IS NOT NULL;
END
$$;

CREATE OR REPLACE FUNCTION registry.hold_artifact(wanted uuid, OUT artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
BEGIN
    PERFORM registry.share_holds();
    PERFORM registry.lock_asset_of(wanted);
    SELECT * INTO artifact FROM registry.artifact_records AS record WHERE record.artifact_id = wanted;
END
$$;

-- Refuses an artifact that is held, unless nothing is left of it that could be.
CREATE FUNCTION registry.hold_bytes(
    wanted uuid, at timestamptz, OUT artifact registry.artifact_records, OUT is_shared boolean
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
    IF artifact.disposition <> 'purged' THEN
        SELECT * INTO held FROM registry.artifacts AS known WHERE known.artifact_id = wanted;
        PERFORM registry.require_unheld(held, at);
    END IF;
    is_shared := EXISTS (
        SELECT FROM registry.artifacts AS other
        WHERE other.location_key = artifact.location_key AND other.artifact_id <> artifact.artifact_id
          AND other.disposition IN ('live', 'archived')
          AND (artifact.blob_version_id IS NULL OR other.blob_version_id IS NULL
               OR other.blob_version_id = artifact.blob_version_id));
END
$$;

-- For the code of before.
CREATE OR REPLACE FUNCTION registry.hold_bytes(wanted uuid, OUT artifact registry.artifact_records, OUT is_shared boolean)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    held record;
BEGIN
    SELECT * INTO held FROM registry.hold_bytes(wanted, clock_timestamp());
    artifact := held.artifact;
    is_shared := held.is_shared;
END
$$;

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

-- A rule may want artifacts deleted with their blob; those that are held are only missing.
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
        AND (registry.hold_on(new, sighting.seen_at)).hold_id IS NULL THEN
        PERFORM registry.move_disposition(jsonb_build_object(
            'artifact_id', old.artifact_id, 'disposition', 'deleted', 'origin', origin, 'at', sighting.seen_at));
    END IF;
END
$$;

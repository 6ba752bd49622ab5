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
        artifact.verified_at, told.found_corrupt_at, artifact.missing_since, told.left_behind_at, artifact.storage_tier,
        artifact.superseded_by, artifact.asset_id
    FROM registry.build_artifacts AS told
    CROSS JOIN LATERAL (
        SELECT * FROM registry.artifacts AS known WHERE known.artifact_id = told.artifact_id OFFSET 0) AS artifact
    CROSS JOIN LATERAL (
        SELECT * FROM registry.assets AS known WHERE known.asset_id = artifact.asset_id OFFSET 0) AS asset;

-- The artifacts of a build that it can be resumed with at an instant; in the tier Archive nobody can read them.
-- Not plpgsql: who asks takes only what it needs.
CREATE FUNCTION registry.usable_build_artifacts(run uuid, at timestamptz) RETURNS SETOF registry.build_artifact_records
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT record.* FROM registry.build_artifact_records AS record
    WHERE record.build_id = run AND record.is_resumable AND record.status = 'active'
      AND coalesce(record.expires_at > at, true)
      AND record.found_corrupt_at IS NULL AND record.missing_since IS NULL
      AND record.left_behind_at IS NULL AND record.storage_tier IS DISTINCT FROM 'Archive';
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
-- {build_id, state_code, artifact_type, is_resumable, is_final (null: any), after, most}. It ends early where it is some
-- megabytes long; `leads_on` tells whether there are more. Null for an unknown build.
CREATE FUNCTION registry.list_build_artifacts(request jsonb, OUT artifacts text[], OUT leads_on boolean)
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
    most_bytes CONSTANT integer := 8000000;
    bytes integer := 0;
    after registry.build_artifacts;
    told text;
BEGIN
    IF NOT EXISTS (SELECT FROM registry.runs AS run WHERE run.run_id = wanted AND run.run_type = 'build') THEN
        RETURN;
    END IF;
    artifacts := '{}';
    leads_on := false;
    SELECT * INTO after FROM registry.build_artifacts AS known WHERE known.artifact_id = (request ->> 'after')::uuid;
    FOR told IN
        SELECT row_to_json(record)::text FROM registry.build_artifact_records AS record
        WHERE record.build_id = wanted AND record.state_code BETWEEN lowest AND highest
          AND (record.state_code, record.created_at, record.id) > (
              coalesce(after.state_code, 0::smallint), coalesce(after.created_at, '-infinity'),
              coalesce(after.artifact_id, '00000000-0000-0000-0000-000000000000'))
          AND record.status IN ('active', 'archived') AND record.superseded_by IS NULL
          AND (of_type IS NULL OR record.artifact_type = of_type)
          AND (resumable IS NULL OR record.is_resumable = resumable) AND (final IS NULL OR record.is_final = final)
          AND record.id = (registry.last_revision_kept(record.asset_id)).artifact_id
        ORDER BY record.state_code, record.created_at, record.id LIMIT most + 1
    LOOP
        bytes := bytes + octet_length(told);
        leads_on := cardinality(artifacts) = most OR cardinality(artifacts) > 0 AND bytes > most_bytes;
        EXIT WHEN leads_on;
        artifacts := artifacts || told;
    END LOOP;
END
$$;

-- An asset keeps its identity; but an artifact of a build may have another name, or step aside from one that is free.
CREATE OR REPLACE TRIGGER assets_identity_immutable
    BEFORE UPDATE OF asset_id, client_type, client_refs, created_at ON registry.assets FOR EACH ROW
    WHEN ((OLD.asset_id, OLD.client_type, OLD.created_at,
           OLD.client_refs - CASE WHEN OLD.client_type = 'build' THEN '{name,retired}'::text[] ELSE '{}' END)
        IS DISTINCT FROM
          (NEW.asset_id, NEW.client_type, NEW.created_at,
           NEW.client_refs - CASE WHEN NEW.client_type = 'build' THEN '{name,retired}'::text[] ELSE '{}' END))
    EXECUTE FUNCTION registry.refuse('an asset keeps its identity');

CREATE FUNCTION registry.keep_changed_references() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.keep_members('refs ' || NEW.client_type, NEW.client_refs, NEW.asset_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER assets_keep_changed_references
    AFTER UPDATE OF client_refs ON registry.assets FOR EACH ROW
    WHEN (NEW.client_refs <> OLD.client_refs) EXECUTE FUNCTION registry.keep_changed_references();

-- Lock an artifact of a build for who is about to change it: the build, then the assets, also the one of the name that
-- the artifact is to have (null: it keeps its own). What holds forbid shares them before anything else: who waits for
-- them must not keep the build from others meanwhile. Null where the build has none of this id.
CREATE FUNCTION registry.hold_build_artifact(build uuid, wanted uuid, new_name text, shares_holds boolean) RETURNS text
LANGUAGE plpgsql
SET lock_timeout = '10s' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    refs CONSTANT jsonb := jsonb_build_object('build_id', build, 'name', new_name);
BEGIN
    IF shares_holds THEN
        PERFORM registry.share_holds();
    END IF;
    PERFORM registry.lock_build(build);
    PERFORM FROM registry.assets AS owner
    WHERE owner.asset_id = ANY (ARRAY(
        SELECT known.asset_id FROM registry.artifacts AS known WHERE known.artifact_id = wanted
        UNION ALL
        SELECT known.asset_id FROM registry.assets AS known WHERE known.identity_key = registry.identity_key('build', refs)))
    ORDER BY owner.identity_key FOR NO KEY UPDATE;
    RETURN (SELECT row_to_json(record)::text FROM registry.build_artifact_records AS record
            WHERE record.id = wanted AND record.build_id = build);
END
$$;

-- Refuse that an asset gets another name while something depends on it: a hold, or a locked policy. One that selects by
-- references keeps what it would keep once it is deleted.
CREATE FUNCTION registry.require_renamable(wanted uuid, at timestamptz) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    is_kept_by_name boolean := EXISTS (
        SELECT FROM registry.policies AS kept
        WHERE kept.policy ->> 'locked' = 'true' AND kept.policy #> '{selector,client_refs}' IS NOT NULL);
    known registry.artifacts;
BEGIN
    FOR known IN SELECT * FROM registry.artifacts AS every
                 WHERE every.asset_id = wanted AND every.disposition <> 'purged' LOOP
        PERFORM registry.require_unheld(known, at);
        PERFORM registry.require_unretained(
            known, CASE WHEN is_kept_by_name OR known.disposition = 'deleted' THEN 'purged' ELSE 'deleted' END, at);
    END LOOP;
END
$$;

CREATE FUNCTION registry.give_references(asset registry.assets, refs jsonb, artifact registry.artifacts, request jsonb)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registry.assets AS renamed SET client_refs = refs WHERE renamed.asset_id = asset.asset_id;
    PERFORM registry.record_event('artifact_renamed', artifact, request -> 'origin', (request ->> 'at')::timestamptz,
        jsonb_build_object('before', asset.client_refs - 'build_id', 'after', refs - 'build_id'));
END
$$;

-- Give an artifact that is held by registry.hold_build_artifact another name, with all revisions. request: {artifact_id,
-- name, origin, at}. Answers with the artifact that has the name; null where it was free. An asset that had it, all of
-- whose artifacts are deleted or superseded, steps aside: its references say so, and are found by name as before.
-- Whoever registers otherwise than by the build does not hold it, and may get the name while we are at it.
CREATE FUNCTION registry.rename_build_artifact(request jsonb) RETURNS uuid
LANGUAGE plpgsql
SET lock_timeout = '10s' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    at CONSTANT timestamptz := request ->> 'at';
    held record;
    refs jsonb;
    former registry.assets;
    bearer registry.artifacts;
    last registry.artifacts;
BEGIN
    SELECT * INTO held FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid);
    refs := (held.asset).client_refs || jsonb_build_object('name', request -> 'name');
    SELECT * INTO former FROM registry.assets AS known
    WHERE known.identity_key = registry.identity_key((held.asset).client_type, refs) FOR NO KEY UPDATE;
    IF former.asset_id = (held.asset).asset_id THEN
        RETURN NULL;
    END IF;
    bearer := registry.bearer_of(former.asset_id);
    IF bearer.artifact_id IS NOT NULL THEN
        RETURN bearer.artifact_id;
    END IF;
    PERFORM registry.require_renamable((held.asset).asset_id, at);
    IF former.asset_id IS NOT NULL THEN
        SELECT * INTO last FROM registry.artifacts AS known
        WHERE known.asset_id = former.asset_id AND known.revision = former.last_revision;
        PERFORM registry.give_references(
            former, former.client_refs || jsonb_build_object('retired', former.asset_id), last, request);
    END IF;
    BEGIN
        PERFORM registry.give_references(held.asset, refs, held.artifact, request);
    EXCEPTION WHEN unique_violation THEN
        SELECT (registry.bearer_of(known.asset_id)).artifact_id INTO bearer.artifact_id FROM registry.assets AS known
        WHERE known.identity_key = registry.identity_key((held.asset).client_type, refs);
        IF bearer.artifact_id IS NULL THEN
            RAISE;
        END IF;
        RETURN bearer.artifact_id;
    END;
    UPDATE registry.artifacts AS renamed SET updated_at = at WHERE renamed.artifact_id = (held.artifact).artifact_id;
    RETURN NULL;
END
$$;

-- Let a build be resumed with an artifact that was left behind, and is held by registry.hold_build_artifact.
-- request: {artifact_id, origin, at}.
CREATE FUNCTION registry.take_up_build_artifact(request jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wanted CONSTANT uuid := request ->> 'artifact_id';
    at CONSTANT timestamptz := request ->> 'at';
    left_behind timestamptz := (SELECT told.left_behind_at FROM registry.build_artifacts AS told WHERE told.artifact_id = wanted);
    artifact registry.artifacts;
BEGIN
    IF left_behind IS NULL THEN
        RETURN;
    END IF;
    UPDATE registry.build_artifacts AS told SET left_behind_at = NULL WHERE told.artifact_id = wanted;
    UPDATE registry.artifacts AS taken_up SET updated_at = at WHERE taken_up.artifact_id = wanted RETURNING * INTO artifact;
    PERFORM registry.record_event('artifact_taken_up', artifact, request -> 'origin', at, jsonb_build_object(
        'before', jsonb_build_object('left_behind_at', left_behind), 'after', jsonb_build_object('left_behind_at', NULL)));
END
$$;

-- Functions of before, which know of an expiry.
CREATE OR REPLACE FUNCTION registry.told_changes(old registry.artifacts, new registry.artifacts, told registry.artifacts)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    flags jsonb := '{}';
    changed jsonb;
BEGIN
    IF new.is_resumable <> old.is_resumable THEN
        flags := flags || jsonb_build_object('is_resumable', told.is_resumable);
    END IF;
    IF new.is_final <> old.is_final THEN
        flags := flags || jsonb_build_object('is_final', told.is_final);
    END IF;
    IF new.expires_at IS DISTINCT FROM old.expires_at THEN
        flags := flags || jsonb_build_object('expires_at', told.expires_at);
    END IF;
    SELECT coalesce(jsonb_object_agg(key, told.metadata -> key), '{}') INTO changed
    FROM jsonb_object_keys(new.metadata) AS key
    WHERE old.metadata -> key IS DISTINCT FROM new.metadata -> key AND told.metadata ? key;
    IF octet_length(changed::text) > 8192 THEN
        RETURN flags || jsonb_build_object('metadata_keys', (SELECT jsonb_agg(key) FROM jsonb_object_keys(changed) AS key));
    END IF;
    RETURN flags || jsonb_build_object('metadata', changed);
END
$$;

-- request: {artifact_id, metadata (merged key by key), is_resumable, is_final (null: as it is), expires_at (absent: as it
-- is, null: never), origin, at}. Deleted artifacts stay as they are. What a locked policy retains is given no expiry,
-- loses none and gets no sooner one. Nothing that changes nothing leaves a trace.
CREATE OR REPLACE FUNCTION registry.update_artifact(request jsonb, OUT artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := (request ->> 'at')::timestamptz;
    old registry.artifacts;
    new registry.artifacts;
BEGIN
    SELECT (held.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS held;
    new := old;
    new.metadata := old.metadata || coalesce(request -> 'metadata', '{}');
    new.is_resumable := coalesce((request ->> 'is_resumable')::boolean, old.is_resumable);
    new.is_final := coalesce((request ->> 'is_final')::boolean, old.is_final);
    new.expires_at := CASE WHEN request ? 'expires_at' THEN (request ->> 'expires_at')::timestamptz ELSE old.expires_at END;
    IF old.disposition IN ('live', 'archived') AND new IS DISTINCT FROM old THEN
        IF new.expires_at IS DISTINCT FROM old.expires_at AND coalesce(new.expires_at < old.expires_at, true) THEN
            PERFORM registry.require_unretained(old, 'deleted', at);
        END IF;
        UPDATE registry.artifacts AS changed
        SET metadata = new.metadata, is_resumable = new.is_resumable, is_final = new.is_final, expires_at = new.expires_at,
            updated_at = at
        WHERE changed.artifact_id = old.artifact_id;
        PERFORM registry.record_event('metadata_update', old, request -> 'origin', at, jsonb_build_object(
            'before', registry.told_changes(old, new, old), 'after', registry.told_changes(old, new, new)));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record WHERE record.artifact_id = old.artifact_id;
END
$$;

-- What came of hashing the bytes of an artifact that is to be verified: {artifact_id, content_hash (as far as it was read),
-- is_same (null where the bytes cannot be read), reason, is_asked (somebody waits for it, whatever is due), origin, at}.
-- Nothing where that is not due, or no longer. The code of before does not say is_same: it tells of hashes alone.
CREATE OR REPLACE FUNCTION registry.record_verification(request jsonb) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    old registry.artifacts;
    is_same boolean;
    is_wanted boolean;
    verified timestamptz;
BEGIN
    SELECT (locked.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS locked;
    DELETE FROM registry.verifications_due AS done WHERE done.artifact_id = (request ->> 'artifact_id')::uuid;
    is_wanted := FOUND OR coalesce((request ->> 'is_asked')::boolean, false);
    IF is_wanted AND old.disposition IN ('live', 'archived') THEN
        is_same := CASE WHEN request ? 'is_same' THEN (request ->> 'is_same')::boolean
                        ELSE old.content_hash = request ->> 'content_hash' END;
        verified := CASE WHEN is_same THEN at END;
        UPDATE registry.artifacts SET verified_at = verified, updated_at = at WHERE artifact_id = old.artifact_id;
        UPDATE registry.build_artifacts AS told SET found_corrupt_at = CASE WHEN NOT is_same THEN at END
        WHERE told.artifact_id = old.artifact_id AND is_same IS NOT NULL;
        PERFORM registry.record_event(CASE WHEN verified IS NULL THEN 'verification_failed' ELSE 'verified' END,
            old, request -> 'origin', at, jsonb_build_object(
                'before', jsonb_build_object('verified_at', old.verified_at),
                'after', jsonb_build_object('verified_at', verified))
            || CASE WHEN verified IS NULL THEN jsonb_build_object('content_hash', old.content_hash,
                'found', request -> 'content_hash', 'reason', request -> 'reason') ELSE '{}' END);
    END IF;
END
$$;

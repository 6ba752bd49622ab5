-- What may change of a registered artifact, and requests that may be repeated.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The artifacts of these ids, each as a JSON text. In a function, because the most frequent read is not to be
-- planned anew each time: behind a pooler nothing can be prepared.
CREATE FUNCTION registry.read_artifacts(wanted uuid[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT row_to_json(record)::text FROM registry.artifact_records AS record WHERE record.artifact_id = ANY (wanted);
END
$$;

-- Lock an artifact, its asset first as everywhere, and answer with what it is now; null if unknown.
CREATE FUNCTION registry.hold_artifact(wanted uuid, OUT artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
BEGIN
    PERFORM registry.lock_asset_of(wanted);
    SELECT * INTO artifact FROM registry.artifact_records AS record WHERE record.artifact_id = wanted;
END
$$;

-- The same for an artifact whose bytes are to go or to be tiered: alone at its location.
-- `is_shared` says whether another artifact that is not deleted points at the same bytes: the same
-- version of a blob where versions are told, anything at the same name otherwise.
CREATE FUNCTION registry.hold_bytes(wanted uuid, OUT artifact registry.artifact_records, OUT is_shared boolean)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    lock integer;
BEGIN
    SELECT registry.location_lock(located.location_key) INTO lock
    FROM registry.artifacts AS located WHERE located.artifact_id = wanted AND located.location_key IS NOT NULL;
    IF FOUND THEN
        PERFORM pg_advisory_xact_lock(hashtext('registry.location'), lock);
    END IF;
    SELECT * INTO artifact FROM registry.hold_artifact(wanted);
    is_shared := EXISTS (
        SELECT FROM registry.artifacts AS other
        WHERE other.location_key = artifact.location_key AND other.artifact_id <> artifact.artifact_id
          AND other.disposition IN ('live', 'archived')
          AND (artifact.blob_version_id IS NULL OR other.blob_version_id IS NULL
               OR other.blob_version_id = artifact.blob_version_id));
END
$$;

-- What differs between two states, as it stands in one of them: what an event tells. Values that are
-- too long to be told leave only the names of their keys.
CREATE FUNCTION registry.told_changes(old registry.artifacts, new registry.artifacts, told registry.artifacts)
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
    SELECT coalesce(jsonb_object_agg(key, told.metadata -> key), '{}') INTO changed
    FROM jsonb_object_keys(new.metadata) AS key
    WHERE old.metadata -> key IS DISTINCT FROM new.metadata -> key AND told.metadata ? key;
    IF octet_length(changed::text) > 8192 THEN
        RETURN flags || jsonb_build_object('metadata_keys', (SELECT jsonb_agg(key) FROM jsonb_object_keys(changed) AS key));
    END IF;
    RETURN flags || jsonb_build_object('metadata', changed);
END
$$;

-- request: {artifact_id, metadata (merged key by key), is_resumable, is_final (null: as it is), origin, at}.
-- Deleted artifacts stay as they are. Nothing that changes nothing leaves a trace.
CREATE FUNCTION registry.update_artifact(request jsonb, OUT artifact registry.artifact_records)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := (request ->> 'at')::timestamptz;
    patch jsonb := request -> 'metadata';
    old registry.artifacts;
    new registry.artifacts;
BEGIN
    SELECT (held.artifact).* INTO old FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid) AS held;
    new := old;
    new.metadata := old.metadata || patch;
    new.is_resumable := coalesce((request ->> 'is_resumable')::boolean, old.is_resumable);
    new.is_final := coalesce((request ->> 'is_final')::boolean, old.is_final);
    IF old.disposition IN ('live', 'archived') AND new IS DISTINCT FROM old THEN
        UPDATE registry.artifacts AS changed
        SET metadata = new.metadata, is_resumable = new.is_resumable, is_final = new.is_final, updated_at = at
        WHERE changed.artifact_id = old.artifact_id;
        PERFORM registry.record_event('metadata_update', old, request -> 'origin', at, jsonb_build_object(
            'before', registry.told_changes(old, new, old), 'after', registry.told_changes(old, new, new)));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record WHERE record.artifact_id = old.artifact_id;
END
$$;

CREATE TABLE registry.idempotency_keys (
    caller text NOT NULL CONSTRAINT idempotency_keys_caller_length CHECK (char_length(caller) BETWEEN 1 AND 255),
    idempotency_key text NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (char_length(idempotency_key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL CONSTRAINT idempotency_keys_fingerprint_length CHECK (octet_length(fingerprint) = 32),
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON registry.idempotency_keys (created_at);

-- Take an idempotency key for this transaction. `is_in_flight`: another transaction has it now.
-- `answered`: what was answered to the same key before, if it was; older ones than `keep_from` are
-- forgotten, a few at each call, so that the table never grows beyond what is kept.
CREATE FUNCTION registry.claim_idempotency_key(
    wanted_caller text, wanted_key text, keep_from timestamptz,
    OUT is_in_flight boolean, OUT answered registry.idempotency_keys
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
BEGIN
    is_in_flight := NOT pg_try_advisory_xact_lock(
        hashtextextended(wanted_caller || chr(10) || wanted_key, hashtext('registry.idempotency')));
    IF is_in_flight THEN
        RETURN;
    END IF;
    DELETE FROM registry.idempotency_keys AS forgotten
    WHERE (forgotten.caller, forgotten.idempotency_key) IN (
        SELECT old.caller, old.idempotency_key FROM registry.idempotency_keys AS old
        WHERE old.created_at < keep_from
        ORDER BY old.created_at LIMIT 10
        FOR UPDATE SKIP LOCKED);
    DELETE FROM registry.idempotency_keys AS forgotten
    WHERE forgotten.caller = wanted_caller AND forgotten.idempotency_key = wanted_key
      AND forgotten.created_at < keep_from;
    SELECT * INTO answered FROM registry.idempotency_keys AS kept
    WHERE kept.caller = wanted_caller AND kept.idempotency_key = wanted_key;
END
$$;

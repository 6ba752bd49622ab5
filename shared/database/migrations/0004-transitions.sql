-- How an artifact's state moves on. Each call locks the asset before the artifact, as registering
-- does, so that no two calls wait for each other.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE FUNCTION registry.lock_asset_of(wanted uuid, OUT asset registry.assets, OUT artifact registry.artifacts)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT locked.* INTO asset FROM registry.assets AS locked
    WHERE locked.asset_id = (SELECT owned.asset_id FROM registry.artifacts AS owned WHERE owned.artifact_id = wanted)
    FOR NO KEY UPDATE;
    SELECT * INTO artifact FROM registry.artifacts WHERE artifact_id = wanted;
END
$$;

-- Put a completed artifact where its revision belongs: in front as the current one, or, when a
-- later revision was completed before it, into the chain just before that one.
CREATE FUNCTION registry.join_chain(asset registry.assets, artifact registry.artifacts, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    later registry.artifacts;
    before uuid;
BEGIN
    SELECT * INTO later FROM registry.artifacts AS other
    WHERE other.asset_id = asset.asset_id AND other.revision > artifact.revision AND other.processing = 'completed'
    ORDER BY other.revision LIMIT 1;
    before := CASE WHEN later.artifact_id IS NULL THEN asset.current_artifact_id ELSE later.supersedes END;
    UPDATE registry.artifacts SET superseded_by = artifact.artifact_id, updated_at = at WHERE artifact_id = before;
    UPDATE registry.artifacts SET supersedes = artifact.artifact_id, updated_at = at WHERE artifact_id = later.artifact_id;
    UPDATE registry.artifacts SET supersedes = before, superseded_by = later.artifact_id
    WHERE artifact_id = artifact.artifact_id;
    IF later.artifact_id IS NULL THEN
        UPDATE registry.assets SET current_artifact_id = artifact.artifact_id WHERE asset_id = asset.asset_id;
    END IF;
END
$$;

-- request: {artifact_id, processing, origin, at, facts: {content_hash, size_bytes, row_count,
-- content_type}}. Answers the state before as well; no row of that id gives a null artifact.
CREATE FUNCTION registry.move_processing(
    request jsonb, OUT previous text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := (request ->> 'at')::timestamptz;
    facts registry.artifacts := jsonb_populate_record(NULL::registry.artifacts, request -> 'facts');
    target text := request ->> 'processing';
    held record;
BEGIN
    SELECT * INTO held FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid);
    previous := (held.artifact).processing;
    IF previous IN ('pending', 'in_progress') AND previous <> target AND (held.artifact).disposition = 'live' THEN
        -- Out of the chain until it is linked: a completed, unlinked artifact would be a second active one.
        IF target = 'completed' THEN
            PERFORM registry.join_chain(held.asset, held.artifact, at);
        END IF;
        UPDATE registry.artifacts AS moved
        SET processing = target, updated_at = at,
            content_hash = coalesce(facts.content_hash, moved.content_hash),
            size_bytes = coalesce(facts.size_bytes, moved.size_bytes),
            row_count = coalesce(facts.row_count, moved.row_count),
            content_type = coalesce(facts.content_type, moved.content_type)
        WHERE moved.artifact_id = (held.artifact).artifact_id;
        PERFORM registry.record_event('status_update', held.artifact, request -> 'origin', at, jsonb_build_object(
            'before', jsonb_build_object('processing', previous), 'after', jsonb_build_object('processing', target)));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record
    WHERE record.artifact_id = (held.artifact).artifact_id;
END
$$;

-- request: {artifact_id, disposition, origin, at}. Nothing is reactivated: an asset whose current
-- artifact leaves has none until the next registration.
CREATE FUNCTION registry.move_disposition(
    request jsonb, OUT previous text, OUT artifact registry.artifact_records
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := (request ->> 'at')::timestamptz;
    target text := request ->> 'disposition';
    held record;
BEGIN
    SELECT * INTO held FROM registry.lock_asset_of((request ->> 'artifact_id')::uuid);
    previous := (held.artifact).status;
    IF previous IS NOT NULL AND (held.artifact).disposition <> target
        AND NOT (target = 'deleted' AND (held.artifact).disposition = 'purged') THEN
        UPDATE registry.artifacts AS moved
        SET disposition = target, updated_at = at,
            archived_at = CASE WHEN target = 'archived' THEN at ELSE moved.archived_at END,
            deleted_at = CASE WHEN target = 'deleted' THEN at ELSE moved.deleted_at END
        WHERE moved.artifact_id = (held.artifact).artifact_id;
        UPDATE registry.assets SET current_artifact_id = NULL
        WHERE asset_id = (held.asset).asset_id AND current_artifact_id = (held.artifact).artifact_id;
        PERFORM registry.record_event('status_update', held.artifact, request -> 'origin', at, jsonb_build_object(
            'before', jsonb_build_object('disposition', (held.artifact).disposition),
            'after', jsonb_build_object('disposition', target)));
    END IF;
    SELECT * INTO artifact FROM registry.artifact_records AS record
    WHERE record.artifact_id = (held.artifact).artifact_id;
END
$$;

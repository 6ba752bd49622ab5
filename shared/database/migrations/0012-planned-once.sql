-- The statements that are sent most, as functions: behind a pooler nothing can be prepared, and planning
-- one anew takes longer than running it. A function's statements are planned once a connection, for any
-- parameters: what they read is found by an index whatever these are, however few rows there were when
-- it was planned.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER FUNCTION registry.artifacts_of_assets(uuid[]) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION registry.narrow_shortlist(registry.listing) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION registry.satisfying(registry.listing, uuid[]) SET plan_cache_mode = force_generic_plan;

-- A page of a list, and where it goes on: see registry.list_artifacts. An empty page is one row of
-- nulls, because it may go on as well.
CREATE FUNCTION registry.list_page(request jsonb)
RETURNS TABLE (next_at timestamptz, next_id uuid, artifact text)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    page record;
BEGIN
    SELECT * INTO page FROM registry.list_artifacts(request);
    RETURN QUERY
    SELECT page.next_at, page.next_id, CASE WHEN record.artifact_id IS NOT NULL THEN row_to_json(record)::text END
    FROM (VALUES (true)) AS once
    LEFT JOIN unnest(page.artifact_ids) WITH ORDINALITY AS told (artifact_id, place) ON true
    LEFT JOIN LATERAL (  -- OFFSET 0: each is looked up by its id
        SELECT * FROM registry.artifact_records AS known WHERE known.artifact_id = told.artifact_id OFFSET 0
    ) AS record ON true
    ORDER BY told.place;
END
$$;

-- The asset of exactly these references.
CREATE FUNCTION registry.asset_of(wanted_type text, wanted_refs jsonb)
RETURNS TABLE (asset_id uuid, client_type text, client_refs jsonb, last_revision integer)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT asset.asset_id, asset.client_type, asset.client_refs, asset.last_revision
    FROM registry.assets AS asset
    WHERE asset.identity_key = registry.identity_key(wanted_type, wanted_refs) AND asset.client_refs = wanted_refs;
END
$$;

-- The current artifact of an asset, if it has one.
CREATE FUNCTION registry.current_artifact(wanted uuid) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT row_to_json(record)::text
    FROM registry.assets AS asset
    JOIN registry.artifact_records AS record ON record.artifact_id = asset.current_artifact_id
    WHERE asset.asset_id = wanted;
END
$$;

-- Revisions of an asset, newest first, below a revision.
CREATE FUNCTION registry.asset_history(wanted uuid, below integer, most integer) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT row_to_json(record)::text FROM registry.artifact_records AS record
    WHERE record.asset_id = wanted AND record.revision < below
    ORDER BY record.revision DESC
    LIMIT most;
END
$$;

-- The key of this hash, unless it was revoked or has expired; one look-up in a unique index.
CREATE FUNCTION registry.valid_key(wanted bytea, at timestamptz)
RETURNS TABLE (key_id uuid, scopes text[], key_hash bytea)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT known.key_id, known.scopes, known.key_hash
    FROM registry.api_keys AS known
    WHERE known.key_hash = wanted AND known.revoked_at IS NULL AND (known.expires_at IS NULL OR known.expires_at > at);
END
$$;

-- What came of a registration, and of each of a list in its order.
CREATE FUNCTION registry.registered(request jsonb) RETURNS TABLE (outcome text, artifact text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT made.outcome, row_to_json(made.artifact)::text FROM registry.register_artifact(request) AS made;
END
$$;
CREATE FUNCTION registry.registered_each(requests jsonb) RETURNS TABLE (outcome text, artifact text)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT made.outcome, row_to_json(made.artifact)::text FROM registry.register_artifacts(requests) AS made
    ORDER BY made.place;
END
$$;

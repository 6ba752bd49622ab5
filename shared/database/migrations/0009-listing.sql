-- Lists: whatever is asked for, a page looks at a bounded number of rows.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE INDEX artifacts_by_creation ON registry.artifacts (created_at, artifact_id);
CREATE INDEX artifacts_by_update ON registry.artifacts (updated_at, artifact_id);
CREATE INDEX artifacts_by_status ON registry.artifacts (status, created_at, artifact_id)
    WHERE status IN ('pending', 'archived', 'deleted');
CREATE INDEX artifacts_by_stage ON registry.artifacts (stage, created_at, artifact_id)
    WHERE stage <> 'intermediate';

-- What a list is asked for: what its artifacts must satisfy, and where in which order it goes on.
CREATE TYPE registry.listing AS (
    client_type text, client_refs jsonb, status text, stage text, processing text, artifact_type text,
    content_hash text, storage_account text, container text, blob_path text, source_job_id text,
    stac_collection_id text, stac_item_id text, metadata jsonb,
    created_from timestamptz, created_before timestamptz, updated_from timestamptz, updated_before timestamptz,
    is_by_update boolean, is_descending boolean, after_at timestamptz, after_id uuid, most integer
);

CREATE FUNCTION registry.artifacts_of_assets(owners uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN CASE WHEN registry.is_short(owners) THEN
        ARRAY(SELECT owned.artifact_id
              FROM unnest(owners) AS owner (asset_id)
              CROSS JOIN LATERAL (SELECT artifact.artifact_id FROM registry.artifacts AS artifact
                                  WHERE artifact.asset_id = owner.asset_id OFFSET 0) AS owned
              LIMIT registry.shortlist_limit() + 1) END;
END
$$;

-- Every artifact that the list can tell, and others, where a narrow condition leaves few; else null.
CREATE FUNCTION registry.narrow_shortlist(wanted registry.listing) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    location uuid := registry.location_key(wanted.storage_account, wanted.container, wanted.blob_path);
    found uuid[];
BEGIN
    IF wanted.content_hash IS NOT NULL THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE content_hash = wanted.content_hash LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF location IS NOT NULL AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE location_key = location LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF num_nulls(wanted.stac_collection_id, wanted.stac_item_id) = 0 AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE stac_collection_id = wanted.stac_collection_id AND stac_item_id = wanted.stac_item_id
                       LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF wanted.source_job_id IS NOT NULL AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE source_job_id = wanted.source_job_id LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF num_nulls(wanted.client_type, wanted.client_refs) = 0 AND NOT registry.is_short(found) THEN
        found := registry.artifacts_of_assets(registry.holders('refs ' || wanted.client_type, wanted.client_refs));
    END IF;
    IF wanted.metadata IS NOT NULL AND NOT registry.is_short(found) THEN
        found := registry.holders('metadata', wanted.metadata);
    END IF;
    RETURN CASE WHEN registry.is_short(found) THEN found END;
END
$$;

-- The same for conditions that often hold for many.
CREATE FUNCTION registry.broad_shortlist(wanted registry.listing) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    found uuid[];
BEGIN
    IF wanted.client_type IS NOT NULL THEN
        found := registry.artifacts_of_assets(ARRAY(
            SELECT asset_id FROM registry.assets WHERE client_type = wanted.client_type
            LIMIT registry.shortlist_limit() + 1));
    END IF;
    IF wanted.status IN ('pending', 'archived', 'deleted') AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE status = wanted.status AND status IN ('pending', 'archived', 'deleted')
                       LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF wanted.processing <> 'completed' AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE processing <> 'completed' LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF wanted.stage <> 'intermediate' AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE stage = wanted.stage AND stage <> 'intermediate' LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF num_nonnulls(wanted.created_from, wanted.created_before) > 0 AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE created_at >= coalesce(wanted.created_from, '-infinity')
                         AND created_at < coalesce(wanted.created_before, 'infinity')
                       LIMIT registry.shortlist_limit() + 1);
    END IF;
    IF num_nonnulls(wanted.updated_from, wanted.updated_before) > 0 AND NOT registry.is_short(found) THEN
        found := ARRAY(SELECT artifact_id FROM registry.artifacts
                       WHERE updated_at >= coalesce(wanted.updated_from, '-infinity')
                         AND updated_at < coalesce(wanted.updated_before, 'infinity')
                       LIMIT registry.shortlist_limit() + 1);
    END IF;
    RETURN CASE WHEN registry.is_short(found) THEN found END;
END
$$;

-- The next artifacts in the list's order, whether or not they satisfy its conditions.
CREATE FUNCTION registry.walk_by_creation(wanted registry.listing, budget integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    IF wanted.is_descending THEN
        RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                     WHERE (created_at, artifact_id) < (wanted.after_at, wanted.after_id)
                       AND created_at >= coalesce(wanted.created_from, '-infinity')
                     ORDER BY created_at DESC, artifact_id DESC LIMIT budget);
    END IF;
    RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                 WHERE (created_at, artifact_id) > (wanted.after_at, wanted.after_id)
                   AND created_at < coalesce(wanted.created_before, 'infinity')
                 ORDER BY created_at, artifact_id LIMIT budget);
END
$$;

CREATE FUNCTION registry.walk_by_update(wanted registry.listing, budget integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    IF wanted.is_descending THEN
        RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                     WHERE (updated_at, artifact_id) < (wanted.after_at, wanted.after_id)
                       AND updated_at >= coalesce(wanted.updated_from, '-infinity')
                     ORDER BY updated_at DESC, artifact_id DESC LIMIT budget);
    END IF;
    RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                 WHERE (updated_at, artifact_id) > (wanted.after_at, wanted.after_id)
                   AND updated_at < coalesce(wanted.updated_before, 'infinity')
                 ORDER BY updated_at, artifact_id LIMIT budget);
END
$$;

-- Only those of a rare status, in the order of creation.
CREATE FUNCTION registry.walk_by_status(wanted registry.listing, budget integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    IF wanted.is_descending THEN
        RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                     WHERE status = wanted.status AND status IN ('pending', 'archived', 'deleted')
                       AND (created_at, artifact_id) < (wanted.after_at, wanted.after_id)
                       AND created_at >= coalesce(wanted.created_from, '-infinity')
                     ORDER BY created_at DESC, artifact_id DESC LIMIT budget);
    END IF;
    RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                 WHERE status = wanted.status AND status IN ('pending', 'archived', 'deleted')
                   AND (created_at, artifact_id) > (wanted.after_at, wanted.after_id)
                   AND created_at < coalesce(wanted.created_before, 'infinity')
                 ORDER BY created_at, artifact_id LIMIT budget);
END
$$;

-- Only those of a stage that was reached by promotion, in the order of creation.
CREATE FUNCTION registry.walk_by_stage(wanted registry.listing, budget integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    IF wanted.is_descending THEN
        RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                     WHERE stage = wanted.stage AND stage <> 'intermediate'
                       AND (created_at, artifact_id) < (wanted.after_at, wanted.after_id)
                       AND created_at >= coalesce(wanted.created_from, '-infinity')
                     ORDER BY created_at DESC, artifact_id DESC LIMIT budget);
    END IF;
    RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                 WHERE stage = wanted.stage AND stage <> 'intermediate'
                   AND (created_at, artifact_id) > (wanted.after_at, wanted.after_id)
                   AND created_at < coalesce(wanted.created_before, 'infinity')
                 ORDER BY created_at, artifact_id LIMIT budget);
END
$$;

CREATE FUNCTION registry.walk(wanted registry.listing, budget integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN wanted.is_by_update THEN registry.walk_by_update(wanted, budget)
        WHEN wanted.status IN ('pending', 'archived', 'deleted') THEN registry.walk_by_status(wanted, budget)
        WHEN wanted.stage <> 'intermediate' THEN registry.walk_by_stage(wanted, budget)
        ELSE registry.walk_by_creation(wanted, budget) END;
END
$$;

-- Those that satisfy the conditions and come behind the position, in order; one more than asked for
-- where there are.
CREATE FUNCTION registry.satisfying(wanted registry.listing, shortlist uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT listed.artifact_id FROM (
            SELECT artifact.artifact_id,
                CASE WHEN wanted.is_by_update THEN artifact.updated_at ELSE artifact.created_at END AS at
            FROM unnest(shortlist) AS held (artifact_id)
            CROSS JOIN LATERAL (  -- OFFSET 0: each is looked up by its id, whatever the conditions promise
                SELECT * FROM registry.artifacts AS known WHERE known.artifact_id = held.artifact_id OFFSET 0
            ) AS artifact
            WHERE (wanted.status IS NULL OR artifact.status = wanted.status)
              AND (wanted.stage IS NULL OR artifact.stage = wanted.stage)
              AND (wanted.processing IS NULL OR artifact.processing = wanted.processing)
              AND (wanted.artifact_type IS NULL OR artifact.artifact_type = wanted.artifact_type)
              AND (wanted.content_hash IS NULL OR artifact.content_hash = wanted.content_hash)
              AND (wanted.storage_account IS NULL OR artifact.storage_account = wanted.storage_account)
              AND (wanted.container IS NULL OR artifact.container = wanted.container)
              AND (wanted.blob_path IS NULL OR artifact.blob_path = wanted.blob_path)
              AND (wanted.source_job_id IS NULL OR artifact.source_job_id = wanted.source_job_id)
              AND (wanted.stac_collection_id IS NULL OR artifact.stac_collection_id = wanted.stac_collection_id)
              AND (wanted.stac_item_id IS NULL OR artifact.stac_item_id = wanted.stac_item_id)
              AND (wanted.created_from IS NULL OR artifact.created_at >= wanted.created_from)
              AND (wanted.created_before IS NULL OR artifact.created_at < wanted.created_before)
              AND (wanted.updated_from IS NULL OR artifact.updated_at >= wanted.updated_from)
              AND (wanted.updated_before IS NULL OR artifact.updated_at < wanted.updated_before)
              AND (wanted.metadata IS NULL OR artifact.metadata @> wanted.metadata)
              AND (num_nonnulls(wanted.client_type, wanted.client_refs) = 0 OR (
                    SELECT (wanted.client_type IS NULL OR asset.client_type = wanted.client_type)
                       AND (wanted.client_refs IS NULL OR asset.client_refs @> wanted.client_refs)
                    FROM registry.assets AS asset WHERE asset.asset_id = artifact.asset_id))
        ) AS listed
        WHERE CASE WHEN wanted.is_descending THEN (listed.at, listed.artifact_id) < (wanted.after_at, wanted.after_id)
                   ELSE (listed.at, listed.artifact_id) > (wanted.after_at, wanted.after_id) END
        ORDER BY CASE WHEN NOT wanted.is_descending THEN listed.at END,
                 CASE WHEN NOT wanted.is_descending THEN listed.artifact_id END,
                 listed.at DESC, listed.artifact_id DESC
        LIMIT wanted.most + 1);
END
$$;

-- Where a list begins: behind the position asked for, but not outside its times.
CREATE FUNCTION registry.begin_listing(INOUT wanted registry.listing)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    edge_at timestamptz;
    edge_id uuid;
BEGIN
    IF wanted.is_descending THEN
        edge_at := coalesce(CASE WHEN wanted.is_by_update THEN wanted.updated_before ELSE wanted.created_before END, 'infinity');
        edge_id := '00000000-0000-0000-0000-000000000000';
    ELSE
        edge_at := coalesce(CASE WHEN wanted.is_by_update THEN wanted.updated_from ELSE wanted.created_from END, '-infinity')
                   - interval '1 microsecond';
        edge_id := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    END IF;
    IF wanted.after_at IS NULL
        OR (wanted.is_descending AND (edge_at, edge_id) < (wanted.after_at, wanted.after_id))
        OR (NOT wanted.is_descending AND (edge_at, edge_id) > (wanted.after_at, wanted.after_id)) THEN
        wanted.after_at := edge_at;
        wanted.after_id := edge_id;
    END IF;
END
$$;

-- request: the members of registry.listing; no `after_at` begins the list. The answer goes on behind
-- (next_at, next_id), and ends where they are null. It may hold fewer than asked for, even none, and
-- yet go on: then so many rows were looked at that did not satisfy the conditions.
CREATE FUNCTION registry.list_artifacts(
    request jsonb, OUT artifact_ids uuid[], OUT next_at timestamptz, OUT next_id uuid
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted registry.listing := registry.begin_listing(jsonb_populate_record(NULL::registry.listing, request));
    shortlist uuid[] := registry.narrow_shortlist(wanted);
    walked uuid[];
    budget integer;
BEGIN
    IF shortlist IS NULL THEN  -- a short way is often enough, and cheaper than a broad shortlist
        FOREACH budget IN ARRAY ARRAY[wanted.most + 1, registry.shortlist_limit() / 10, registry.shortlist_limit()] LOOP
            IF budget = registry.shortlist_limit() THEN
                shortlist := registry.broad_shortlist(wanted);
                EXIT WHEN shortlist IS NOT NULL;
            END IF;
            walked := registry.walk(wanted, budget);
            artifact_ids := registry.satisfying(wanted, walked);
            EXIT WHEN cardinality(artifact_ids) > wanted.most OR cardinality(walked) < budget;
        END LOOP;
    END IF;
    IF shortlist IS NOT NULL THEN
        artifact_ids := registry.satisfying(wanted, shortlist);
    END IF;
    next_id := CASE
        WHEN cardinality(artifact_ids) > wanted.most THEN artifact_ids[wanted.most]
        WHEN shortlist IS NULL AND cardinality(walked) = budget THEN walked[budget] END;
    artifact_ids := artifact_ids[:wanted.most];
    SELECT CASE WHEN wanted.is_by_update THEN artifact.updated_at ELSE artifact.created_at END INTO next_at
    FROM registry.artifacts AS artifact WHERE artifact.artifact_id = next_id;
END
$$;

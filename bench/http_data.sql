-- name: prepare#
-- For the session that fills: rows that are made whole need no guard, and ids are made from a kind,
-- a number and a time.
SET session_replication_role = replica;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';
CREATE FUNCTION pg_temp.made_id(kind text, number bigint, made_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex((extract(epoch FROM made_at) * 1000)::bigint), 12, '0')
        || '7' || left(md5(kind || number), 3) || '8' || right(md5(kind || number), 15))::uuid;

-- name: fill(artifacts)!
-- Rows as registering leaves them: half of the artifacts are alone in their assets, half are one of
-- ten revisions. Ids carry the time at which they were made, as real ones do.
WITH revisions AS (
    SELECT place, asset, revision, count(*) OVER (PARTITION BY asset) AS last_revision,
           TIMESTAMPTZ '2026-01-01Z' + place * INTERVAL '10 ms' AS made_at
    FROM (
        SELECT place,
               CASE WHEN place <= :artifacts / 2 THEN (place - 1) / 10 ELSE place END AS asset,
               CASE WHEN place <= :artifacts / 2 THEN mod(place - 1, 10) + 1 ELSE 1 END AS revision
        FROM generate_series(1, CAST(:artifacts AS integer)) AS place
    ) AS placed
), named AS (
    SELECT *, pg_temp.made_id('asset', asset, TIMESTAMPTZ '2026-01-01Z' + asset * INTERVAL '10 ms') AS asset_id
    FROM revisions
), made_assets AS (
    INSERT INTO registry.assets
        (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
    SELECT asset_id, 'bench', jsonb_build_object('dataset_id', md5('dataset ' || asset / 100), 'resource_id', 'part-' || asset),
           last_revision, pg_temp.made_id('artifact', place, made_at), made_at
    FROM named WHERE revision = last_revision
)
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, supersedes, superseded_by,
     storage_backend, storage_account, container, blob_path, blob_etag, uri, storage_tier,
     content_hash, size_bytes, content_type, artifact_type, metadata,
     processing, stage, created_at, updated_at)
SELECT pg_temp.made_id('artifact', place, made_at), asset_id, revision,
       CASE WHEN revision > 1 THEN pg_temp.made_id('artifact', place - 1, made_at - INTERVAL '10 ms') END,
       CASE WHEN revision < last_revision THEN pg_temp.made_id('artifact', place + 1, made_at + INTERVAL '10 ms') END,
       'azure_blob', 'account', 'uploads', md5('dataset ' || asset / 100) || '/part-' || asset || '.tif',
       left(md5('etag ' || place), 17),
       'https://account.blob.core.windows.net/uploads/' || md5('dataset ' || asset / 100) || '/part-' || asset || '.tif', 'Hot',
       '1220' || encode(sha256(place::text::bytea), 'hex'), 123456, 'image/tiff', 'raster', '{"crs": "EPSG:4326", "bands": 3}',
       'completed', 'intermediate', made_at, made_at
FROM named;

-- name: fill_members()!
-- What the triggers keep of references and metadata.
INSERT INTO registry.members
SELECT registry.member('refs ' || client_type, given.key, given.value), asset_id
FROM registry.assets CROSS JOIN jsonb_each(client_refs) AS given
UNION ALL
SELECT registry.member('metadata', given.key, given.value), artifact_id
FROM registry.artifacts CROSS JOIN jsonb_each(metadata) AS given
ORDER BY 1, 2;

-- name: fill_totals()!
-- What was noted of each change, folded as it is after a while.
INSERT INTO registry.artifact_totals
SELECT coalesce(asset.client_type, ''), artifact.status, count(*), count(*) FILTER (WHERE artifact.revision = 1),
       coalesce(sum(artifact.size_bytes), 0), coalesce(sum(artifact.row_count), 0)
FROM registry.artifacts AS artifact JOIN registry.assets AS asset USING (asset_id)
GROUP BY GROUPING SETS ((asset.client_type, artifact.status), (artifact.status));

-- name: vacuum#
-- What autovacuum would do at a moment of its own.
VACUUM (ANALYZE);

-- name: checkpoint#
-- Nothing is left to be written that belongs to the filling.
CHECKPOINT;

-- name: sample_ids(count)
-- Artifacts of all over the table.
SELECT artifact_id FROM registry.artifacts ORDER BY random() LIMIT :count;

-- name: sample_histories(count)
-- References of assets that have ten revisions each, of all over the table.
SELECT client_refs FROM registry.assets WHERE last_revision = 10 ORDER BY random() LIMIT :count;

-- name: fill(artifacts, due)!
-- Rows as registering leaves them: of the artifacts, so many are the older of two revisions, were superseded long ago,
-- and have a blob of their own; all others are current.
WITH placed AS (
    SELECT place, place <= :due AS is_old, CASE WHEN place <= 2 * :due THEN mod(place - 1, :due) ELSE place END AS asset
    FROM generate_series(1, CAST(:artifacts AS integer)) AS place
), made_assets AS (
    INSERT INTO registry.assets (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
    SELECT md5('asset ' || asset)::uuid, 'bench', jsonb_build_object('name', asset),
           CASE WHEN place <= 2 * :due THEN 2 ELSE 1 END, md5('artifact ' || place)::uuid, TIMESTAMPTZ '2025-01-01Z'
    FROM placed WHERE NOT is_old
)
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, supersedes, superseded_by, superseded_at,
     storage_backend, storage_account, container, blob_path, blob_etag, storage_tier,
     content_hash, size_bytes, content_type, artifact_type, metadata, processing, stage, created_at, updated_at)
SELECT md5('artifact ' || place)::uuid, md5('asset ' || asset)::uuid,
       CASE WHEN place > :due AND place <= 2 * :due THEN 2 ELSE 1 END,
       CASE WHEN place > :due AND place <= 2 * :due THEN md5('artifact ' || place - :due)::uuid END,
       CASE WHEN is_old THEN md5('artifact ' || place + :due)::uuid END,
       CASE WHEN is_old THEN TIMESTAMPTZ '2025-01-01Z' + place * INTERVAL '10 ms' END,
       'azure_blob', 'account', 'uploads', 'part-' || place || '.tif', left(md5('etag ' || place), 17), 'Hot',
       '1220' || encode(sha256(place::text::bytea), 'hex'), 123456, 'image/tiff', 'raster', '{"bands": 3}',
       'completed', 'intermediate', TIMESTAMPTZ '2025-01-01Z' + place * INTERVAL '10 ms', TIMESTAMPTZ '2025-01-01Z'
FROM placed;

-- name: forget_runs#
-- As before the first run.
TRUNCATE registry.policy_actions, registry.policy_runs;
VACUUM (ANALYZE) registry.artifacts;
CHECKPOINT;

-- name: update_due(cutoff)!
-- One plain statement over the same rows, which are found by the same index.
UPDATE registry.artifacts SET updated_at = updated_at
WHERE status = 'superseded' AND coalesce(superseded_at, updated_at) <= :cutoff;

-- name: page(limit)
-- Rows as the registry answers with them, by primary key.
SELECT row_to_json(record)::text AS artifact FROM registry.artifact_records AS record
WHERE artifact_id > '20000000-0000-0000-0000-000000000000'
ORDER BY artifact_id LIMIT :limit;

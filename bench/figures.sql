-- name: fill(artifacts)!
-- Artifacts as registering leaves them, one an asset, noted and indexed by the same triggers: of 50 types, in 200
-- containers, registered in the course of a year.
WITH made_assets AS (
    INSERT INTO registry.assets (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
    SELECT md5('asset ' || i)::uuid, 'client ' || mod(i, 10), jsonb_build_object('name', i), 1, md5('artifact ' || i)::uuid, now()
    FROM generate_series(1, CAST(:artifacts AS integer)) AS i
)
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, storage_backend, storage_account, container, blob_path, blob_etag, storage_tier,
     content_hash, size_bytes, content_type, artifact_type, processing, stage, created_at, updated_at)
SELECT md5('artifact ' || i)::uuid, md5('asset ' || i)::uuid, 1, 'azure_blob', 'account', 'container-' || mod(i, 200),
       'part-' || i || '.tif', left(md5('etag ' || i), 17), (ARRAY['Hot', 'Cool', 'Archive'])[mod(i, 3) + 1],
       '1220' || encode(sha256(i::text::bytea), 'hex'), 123456, 'image/tiff', 'type ' || mod(i, 50),
       'completed', (ARRAY['intermediate', 'candidate', 'published'])[mod(i, 3) + 1],
       now() - mod(i, 365) * INTERVAL '1 day', now()
FROM generate_series(1, CAST(:artifacts AS integer)) AS i;

-- name: note_again(changes)!
-- Changes that wait to be folded, as registering these artifacts again would leave them.
INSERT INTO registry.artifact_changes
    (asset_id, new_status, new_size_bytes, new_assets, changed_at, new_tier, new_counted)
SELECT made.asset_id, made.status, made.size_bytes, 0, made.created_at, made.storage_tier,
    registry.counted_values(made.stage, made.artifact_type, made.storage_backend, made.storage_tier, made.storage_account,
        made.container, (made.created_at AT TIME ZONE 'UTC')::date)
FROM registry.artifacts AS made LIMIT :changes;

-- name: count()^
-- One full count by an index alone.
SELECT count(*) AS artifacts FROM registry.artifacts;

-- name: count_alike()
-- One full count by one of the figures: what each of them would cost.
SELECT storage_tier, count(*) AS artifacts, sum(size_bytes) AS bytes FROM registry.artifacts GROUP BY storage_tier;

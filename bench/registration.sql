-- name: make_assets(asset_ids)!
-- Assets for plain rows to belong to, as registering leaves them but for their current artifact.
INSERT INTO registry.assets (asset_id, client_type, client_refs, last_revision, created_at)
SELECT asset_id, 'plain', jsonb_build_object('dataset', asset_id, 'part', 1), 1, now()
FROM unnest(CAST(:asset_ids AS uuid[])) AS asset_id;

-- name: analyze()!
-- The planner's view of both tables, which autovacuum would renew at a moment of its own.
ANALYZE registry.assets, registry.artifacts;

-- name: insert(artifact_id, asset_id, storage_backend, storage_account, container, blob_path, blob_etag, uri, storage_tier, content_hash, size_bytes, content_type, artifact_type, metadata, processing, stage, is_resumable, is_final, created_at)^
-- The least that storing such a row can take: no asset is looked up, nothing superseded or told.
INSERT INTO registry.artifacts (
    artifact_id, asset_id, revision,
    storage_backend, storage_account, container, blob_path, blob_etag, uri, storage_tier,
    content_hash, size_bytes, content_type, artifact_type, metadata,
    processing, stage, is_resumable, is_final, created_at, updated_at)
VALUES (
    :artifact_id, :asset_id, 1,
    :storage_backend, :storage_account, :container, :blob_path, :blob_etag, :uri, :storage_tier,
    :content_hash, :size_bytes, :content_type, :artifact_type, :metadata,
    :processing, :stage, :is_resumable, :is_final, :created_at, :created_at)
RETURNING *;

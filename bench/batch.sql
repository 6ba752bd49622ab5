-- name: insert(asset_ids, client_refs, artifact_ids, blob_paths, blob_etags, uris, content_hashes, metadata, storage_backend, storage_account, container, storage_tier, size_bytes, content_type, artifact_type, created_at)!
-- The least that storing such rows can take: one statement for all of them, nothing looked up or told.
WITH given AS MATERIALIZED (
    SELECT *
    FROM unnest(
        CAST(:asset_ids AS uuid[]), CAST(:client_refs AS jsonb[]), CAST(:artifact_ids AS uuid[]),
        CAST(:blob_paths AS text[]), CAST(:blob_etags AS text[]), CAST(:uris AS text[]),
        CAST(:content_hashes AS text[]), CAST(:metadata AS jsonb[])
    ) AS given (asset_id, client_refs, artifact_id, blob_path, blob_etag, uri, content_hash, metadata)
), made_assets AS (
    INSERT INTO registry.assets
        (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
    SELECT asset_id, 'plain', client_refs, 1, artifact_id, :created_at FROM given
)
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision,
     storage_backend, storage_account, container, blob_path, blob_etag, uri, storage_tier,
     content_hash, size_bytes, content_type, artifact_type, metadata,
     processing, stage, created_at, updated_at)
SELECT artifact_id, asset_id, 1,
       :storage_backend, :storage_account, :container, blob_path, blob_etag, uri, :storage_tier,
       content_hash, :size_bytes, :content_type, :artifact_type, metadata,
       'completed', 'intermediate', :created_at, :created_at
FROM given;

-- name: hold(artifact_id)^
-- Lock an artifact until the transaction ends: see registry.hold_artifact.
SELECT CASE WHEN held.artifact_id IS NOT NULL THEN row_to_json(held)::text END AS artifact
FROM registry.hold_artifact(:artifact_id) AS held;

-- name: hold_bytes(artifact_id, target, at)^
-- Lock an artifact that may be moved to a disposition, and its location: see registry.hold_bytes.
SELECT held.is_shared, held.is_awaited,
    CASE WHEN (held.artifact).artifact_id IS NOT NULL THEN row_to_json(held.artifact)::text END AS artifact
FROM registry.hold_bytes(:artifact_id, :target, :at) AS held;

-- name: is_state_of_another(artifact_id, blob_etag)^
-- Whether a state of a blob was registered as another artifact.
SELECT EXISTS (
    SELECT FROM registry.artifacts AS self
    JOIN registry.artifacts AS other USING (location_key)
    WHERE self.artifact_id = :artifact_id AND other.artifact_id <> :artifact_id AND other.blob_etag = :blob_etag
) AS is_another;

-- name: move_processing(request)^
-- Complete or fail an artifact: see registry.move_processing.
SELECT moved.previous,
    CASE WHEN (moved.artifact).artifact_id IS NOT NULL THEN row_to_json(moved.artifact)::text END AS artifact
FROM registry.move_processing(:request) AS moved;

-- name: move_disposition(request)^
-- Archive, delete or purge an artifact: see registry.move_disposition.
SELECT moved.previous,
    CASE WHEN (moved.artifact).artifact_id IS NOT NULL THEN row_to_json(moved.artifact)::text END AS artifact
FROM registry.move_disposition(:request) AS moved;

-- name: update(request)^
-- Merge metadata and set flags: see registry.update_artifact.
SELECT CASE WHEN updated.artifact_id IS NOT NULL THEN row_to_json(updated)::text END AS artifact
FROM registry.update_artifact(:request) AS updated;

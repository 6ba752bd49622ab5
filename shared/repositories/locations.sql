-- name: sight(request)^
-- Follow a look at a location on a page of the artifacts there: see registry.sight_location.
SELECT next_id, unclear FROM registry.sight_location(:request);

-- name: move(request)^
-- Let an artifact point where its bytes were found: see registry.move_location.
SELECT is_moved FROM registry.move_location(:request);

-- name: paths_under(storage_account, container, folder, after_path, after_id, limit)
-- Names of blobs in a folder to which artifacts point: see registry.paths_under.
SELECT blob_path, artifact_id
FROM registry.paths_under(:storage_account, :container, :folder, :after_path, :after_id, :limit);

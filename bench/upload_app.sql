-- name: count_registered(folder)$
-- How many blobs of a folder are registered.
SELECT count(*) FROM registry.artifacts WHERE starts_with(blob_path, :folder || '/');

-- name: registered(folder)
-- When the registration of each blob of a folder was committed, in seconds since the epoch.
SELECT blob_path, CAST(extract(epoch FROM pg_xact_commit_timestamp(xmin)) AS double precision) AS committed
FROM registry.artifacts WHERE starts_with(blob_path, :folder || '/');

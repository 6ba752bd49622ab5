-- name: compare_listed(run_id, storage_account, container, paths, etags, sizes)
-- Blobs of a listing that are not as registered: see registry.compare_listed.
SELECT place, finding
FROM registry.compare_listed(:run_id, :storage_account, :container, :paths, :etags, :sizes);

-- name: compare_registered(run_id, storage_account, container, prefix, after_path, after_id, limit)
-- Artifacts, and whether the store has something where they point: see registry.compare_registered.
SELECT blob_path, artifact_id, blob_version_id, is_listed, is_missing
FROM registry.compare_registered(
    :run_id, :storage_account, :container, :prefix, :after_path, :after_id, :limit);

-- name: forget(first_run, last_run, limit)^
-- Forget some of what comparisons have found in the store: see registry.forget_reconciled.
SELECT forgotten FROM registry.forget_reconciled(:first_run, :last_run, :limit) AS forgotten;

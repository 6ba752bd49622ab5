-- name: forget(storage_account, container, prefix, source, anew)!
-- Forget how far a backfill came that was completed, or, with `anew`, any.
DELETE FROM registry.backfills
WHERE backfill_key = md5(:storage_account || chr(10) || :container || chr(10) || :source || chr(10) || :prefix)::uuid
  AND (:anew OR completed_at IS NOT NULL);

-- name: begin(storage_account, container, prefix, source, at)^
-- Where a backfill goes on, or begins.
INSERT INTO registry.backfills
    (storage_account, container, prefix, source, started_observation, started_at, updated_at)
VALUES (:storage_account, :container, :prefix, :source, nextval('registry.observations'), :at, :at)
ON CONFLICT (backfill_key) DO UPDATE SET updated_at = excluded.updated_at
RETURNING backfill_key, marker, started_observation, counts;

-- name: advance(backfill_key, marker, counts, at)!
-- All before the marker is done; without one, all is.
UPDATE registry.backfills
SET marker = :marker, counts = :counts, updated_at = :at,
    completed_at = CASE WHEN CAST(:marker AS text) IS NULL THEN CAST(:at AS timestamptz) END
WHERE backfill_key = :backfill_key;

-- name: register_listed(listed, common)
-- Register a list of blobs without their hashes: see registry.register_listed.
SELECT place, outcome, artifact_id FROM registry.register_listed(:listed, :common);

-- name: record_hash(request)^
-- Fill in a hash that was left for later: see registry.record_hash.
SELECT outcome FROM registry.record_hash(:request) AS outcome;

-- name: claim_unhashed(now, again_at, limit)
-- Artifacts that a message is due about; who claims them sends it before this is committed.
UPDATE registry.unhashed AS waiting SET due_at = :again_at
FROM (
    SELECT artifact_id FROM registry.unhashed WHERE due_at <= :now
    ORDER BY due_at, artifact_id LIMIT :limit
    FOR UPDATE SKIP LOCKED
) AS due
WHERE waiting.artifact_id = due.artifact_id
RETURNING waiting.artifact_id, waiting.size_bytes;

-- name: forget_unhashed(artifact_id)!
-- Nobody waits for the hash of an artifact any longer.
DELETE FROM registry.unhashed WHERE artifact_id = :artifact_id;

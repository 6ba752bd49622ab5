-- name: begin_scrub(request)^
-- Have the bytes verified that were looked at longest ago: see registry.begin_scrub.
SELECT seen, artifacts, size_bytes FROM registry.begin_scrub(:request);

-- name: results(first_day)
-- With which results artifacts were looked at since a day.
SELECT result, sum(artifacts)::bigint AS artifacts, sum(size_bytes) AS size_bytes
FROM registry.integrity_days WHERE day >= :first_day GROUP BY result;

-- name: oldest_look()^
-- When the artifact that was looked at longest ago was; no row where there is none.
SELECT coalesce(looked_at, created_at) AS looked_at FROM registry.artifacts
WHERE storage_account IS NOT NULL AND disposition IN ('live', 'archived') AND processing = 'completed'
  AND storage_tier IS DISTINCT FROM 'Archive'
ORDER BY coalesce(looked_at, created_at), artifact_id LIMIT 1;

-- name: corrupt(limit)
-- Artifacts whose bytes were other ones when they were last read, those that were found last first.
SELECT artifact_id FROM registry.artifacts
WHERE found_corrupt_at IS NOT NULL AND disposition IN ('live', 'archived')
ORDER BY found_corrupt_at DESC, artifact_id DESC LIMIT :limit;

-- name: waiting(most)^
-- How many artifacts are to be verified, counted so far at most.
SELECT count(*) AS waiting
FROM (SELECT FROM registry.verifications_due ORDER BY due_at, artifact_id LIMIT :most) AS counted;

-- name: id_range()^
-- Between which ids those of all artifacts lie; null where there are none.
SELECT (SELECT artifact_id FROM registry.artifacts ORDER BY artifact_id LIMIT 1) AS lowest,
    (SELECT artifact_id FROM registry.artifacts ORDER BY artifact_id DESC LIMIT 1) AS highest;

-- name: nearest(drawn)
-- The artifacts that follow these ids, where their bytes lie in a storage account.
SELECT DISTINCT nearest.artifact_id
FROM unnest(:drawn::uuid[]) AS drawn (id)
CROSS JOIN LATERAL (
    SELECT known.artifact_id, known.storage_account, known.disposition, known.processing FROM registry.artifacts AS known
    WHERE known.artifact_id >= drawn.id ORDER BY known.artifact_id LIMIT 1) AS nearest
WHERE nearest.storage_account IS NOT NULL AND nearest.disposition IN ('live', 'archived')
  AND nearest.processing = 'completed';

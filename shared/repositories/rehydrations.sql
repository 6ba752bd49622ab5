-- name: request(request)^
-- Record that archived bytes are wanted back: see registry.request_rehydration.
SELECT row_to_json(wanted)::text AS artifact FROM registry.request_rehydration(:request) AS wanted;

-- name: end(request)^
-- Record that bytes are back, or never will be: see registry.end_rehydration.
SELECT row_to_json(ended)::text AS artifact FROM registry.end_rehydration(:request) AS ended;

-- name: pending(artifact_id)^
-- How soon the bytes of an artifact are wanted back; no row where they are not, or no longer.
SELECT priority FROM registry.rehydrations WHERE artifact_id = :artifact_id;

-- name: claim_due(now, again_at, limit)
-- Artifacts whose bytes are to be looked after; next at another time.
UPDATE registry.rehydrations AS waiting SET due_at = :again_at
FROM (
    SELECT artifact_id FROM registry.rehydrations WHERE due_at <= :now
    ORDER BY due_at, artifact_id LIMIT :limit
    FOR UPDATE SKIP LOCKED
) AS due
WHERE waiting.artifact_id = due.artifact_id
RETURNING waiting.artifact_id;

-- name: claim_verifications(now, again_at, limit)
-- Artifacts that a message is due about; who claims them sends it before this is committed.
UPDATE registry.verifications_due AS waiting SET due_at = :again_at
FROM (
    SELECT artifact_id FROM registry.verifications_due WHERE due_at <= :now
    ORDER BY due_at, artifact_id LIMIT :limit
    FOR UPDATE SKIP LOCKED
) AS due
WHERE waiting.artifact_id = due.artifact_id
RETURNING waiting.artifact_id, waiting.size_bytes;

-- name: is_verification_due(artifact_id)^
-- Whether the bytes of an artifact are to be verified.
SELECT EXISTS (SELECT FROM registry.verifications_due WHERE artifact_id = :artifact_id) AS is_due;

-- name: verify_later(artifact_id, size_bytes, now)!
-- Have a message sent about an artifact that is to be verified. Where one is under way, it is what somebody asks for
-- again: what is large is not read by several at once.
INSERT INTO registry.verifications_due VALUES (:artifact_id, :size_bytes, :now)
ON CONFLICT ON CONSTRAINT verifications_due_pkey DO UPDATE SET size_bytes = EXCLUDED.size_bytes;

-- name: record_verification(request)!
-- Record what came of hashing: see registry.record_verification.
SELECT registry.record_verification(:request);

-- name: add(key_id, name, key_hash, scopes, created_at, expires_at, rotated_from)!
-- Keep a new key: its hash, never its text.
INSERT INTO registry.api_keys (key_id, name, key_hash, scopes, created_at, expires_at, rotated_from)
VALUES (:key_id, :name, :key_hash, :scopes, :created_at, :expires_at, :rotated_from);

-- name: valid(key_hash, now)^
-- The key of this hash, unless it was revoked or has expired; one look-up in a unique index.
SELECT key_id, scopes, key_hash FROM registry.valid_key(:key_hash, :now);

-- name: valid_with_artifacts(key_hash, now, artifact_ids)
-- The same with artifacts beside it, for whoever holds the key: one round trip instead of two.
SELECT key.key_id, key.scopes, key.key_hash, artifact
FROM registry.valid_key(:key_hash, :now) AS key
LEFT JOIN registry.read_artifacts(:artifact_ids) AS artifact ON true;

-- name: get(key_id)^
SELECT key_id, name, scopes, created_at, expires_at, revoked_at, rotated_from, replaced_by
FROM registry.api_key_records
WHERE key_id = :key_id;

-- name: limit_waiting()!
-- A change that another transaction holds up is given up after a while.
SET LOCAL lock_timeout = '10s';

-- name: hold(key_id)^
-- Lock a key until the transaction ends, so that what is decided about it stays true.
SELECT key_id FROM registry.api_keys WHERE key_id = :key_id FOR NO KEY UPDATE;

-- name: change_expiry(key_id, expires_at)!
UPDATE registry.api_keys SET expires_at = :expires_at WHERE key_id = :key_id;

-- name: revoke(key_id, at)!
UPDATE registry.api_keys SET revoked_at = :at WHERE key_id = :key_id;

-- name: all_below(key_id, limit)
-- Every key, newest first.
SELECT key_id, name, scopes, created_at, expires_at, revoked_at, rotated_from, replaced_by
FROM registry.api_key_records
WHERE key_id < :key_id
ORDER BY key_id DESC
LIMIT :limit;

-- name: revoked_below(key_id, limit)
-- Revoked keys, newest first.
SELECT key_id, name, scopes, created_at, expires_at, revoked_at, rotated_from, replaced_by
FROM registry.api_key_records
WHERE revoked_at IS NOT NULL AND key_id < :key_id
ORDER BY key_id DESC
LIMIT :limit;

-- name: ending_between(after, key_id, until, limit)
-- Keys that were not revoked, by the instant of their expiry: `infinity` for none.
SELECT key_id, name, scopes, created_at, expires_at, revoked_at, rotated_from, replaced_by
FROM registry.api_key_records
WHERE revoked_at IS NULL
  AND (coalesce(expires_at, 'infinity'), key_id) > (CAST(:after AS timestamptz), :key_id)
  AND coalesce(expires_at, 'infinity') <= CAST(:until AS timestamptz)
ORDER BY coalesce(expires_at, 'infinity'), key_id
LIMIT :limit;

-- name: record_event(occurred_at, operation, actor, request_id, details)!
-- What happened to a key; it concerns no asset.
INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, details)
VALUES (:occurred_at, :operation, :actor, :request_id, :details);

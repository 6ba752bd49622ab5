-- name: add(key_id, name, key_hash, scopes, created_at, expires_at)!
-- Keep a new key: its hash, never its text.
INSERT INTO registry.api_keys (key_id, name, key_hash, scopes, created_at, expires_at)
VALUES (:key_id, :name, :key_hash, :scopes, :created_at, :expires_at);

-- name: valid(key_hash, now)^
-- The key of this hash, unless it was revoked or has expired; one look-up in a unique index.
SELECT key_id, name, scopes, created_at, expires_at
FROM registry.api_keys
WHERE key_hash = :key_hash AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now);

-- name: claim(caller, idempotency_key, keep_from)^
-- Take an idempotency key for this transaction: see registry.claim_idempotency_key.
SELECT claimed.is_in_flight, (claimed.answered).fingerprint, (claimed.answered).answer
FROM registry.claim_idempotency_key(:caller, :idempotency_key, :keep_from) AS claimed;

-- name: keep(caller, idempotency_key, fingerprint, answer, created_at)!
-- Keep what was answered, in the transaction that did what was asked.
INSERT INTO registry.idempotency_keys (caller, idempotency_key, fingerprint, answer, created_at)
VALUES (:caller, :idempotency_key, :fingerprint, :answer, :created_at);

-- name: limit_waiting()!
-- Whoever tells of an attempt waits for nothing: what cannot be written at once is not written.
SET LOCAL statement_timeout = '1s';

-- name: record(occurred_at, operation, action, actor, request_id, artifact_id, run_id, error, details)!
-- An event of its own: no transaction of a change tells of this.
INSERT INTO registry.outbox
    (occurred_at, operation, action, actor, request_id, artifact_id, run_id, success, error, details)
VALUES (:occurred_at, :operation, :action, :actor, :request_id, :artifact_id, :run_id,
        CAST(:error AS text) IS NULL, :error, :details);

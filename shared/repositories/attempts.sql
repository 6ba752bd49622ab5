-- name: limit_waiting()!
-- Whoever tells of an attempt waits for nothing: what cannot be written at once is not written.
SET LOCAL statement_timeout = '1s';

-- name: record(occurred_at, operation, action, actor, request_id, artifact_id, run_id, error, details)!
-- An event of its own: no transaction of a change tells of this. Of an artifact that there is, with what the events of
-- its changes have.
INSERT INTO registry.outbox
    (occurred_at, operation, action, actor, request_id, asset_id, artifact_id, run_id, success, error, details)
SELECT :occurred_at, :operation, :action, :actor, :request_id, known.asset_id, meant.artifact_id,
    coalesce(meant.run_id, known.run_id), CAST(:error AS text) IS NULL, :error, :details
FROM (SELECT CAST(:artifact_id AS uuid) AS artifact_id, CAST(:run_id AS uuid) AS run_id) AS meant
LEFT JOIN registry.artifacts AS known USING (artifact_id);

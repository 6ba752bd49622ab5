-- name: months()
-- Months that are exported, also those that are gone, in order: twelve a year.
SELECT month, exported_to, exported_at, events, sha256, dropped_at, removed_at FROM registry.trail_months ORDER BY month;

-- name: record_export(month, exported_to, exported_at, events, sha256, actor, request_id)!
-- A month is exported. Whoever comes second changes nothing.
WITH exported AS (
    INSERT INTO registry.trail_months (month, exported_to, exported_at, events, sha256)
    VALUES (:month, :exported_to, :exported_at, :events, :sha256)
    ON CONFLICT (month) DO NOTHING
    RETURNING *)
INSERT INTO registry.outbox (occurred_at, operation, action, actor, request_id, details)
SELECT exported_at, 'audit_month_exported', 'export', :actor, CAST(:request_id AS text),
       jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'exported_to', exported_to, 'events', events,
                          'sha256', sha256)
FROM exported;

-- name: begin_drop(month, dropped_at)!
-- From now on nobody reads the month.
UPDATE registry.trail_months SET dropped_at = :dropped_at WHERE month = :month AND dropped_at IS NULL;

-- name: undo_drop(month)!
-- It is read again: nothing of it was taken away.
UPDATE registry.trail_months SET dropped_at = NULL WHERE month = :month AND removed_at IS NULL;

-- name: remove_digests(first, last)!
DELETE FROM registry.trail WHERE number >= :first AND number <= :last;

-- name: end_drop(month, removed_at, actor, request_id)!
-- Nothing of the month is left here but its days and their seals.
WITH removed AS (
    UPDATE registry.trail_months SET removed_at = :removed_at
    WHERE month = :month AND dropped_at IS NOT NULL AND removed_at IS NULL
    RETURNING *)
INSERT INTO registry.outbox (occurred_at, operation, action, actor, request_id, details)
SELECT removed_at, 'audit_month_dropped', 'drop', :actor, CAST(:request_id AS text),
       jsonb_build_object('month', to_char(month, 'YYYY-MM'), 'exported_to', exported_to, 'events', events,
                          'sha256', sha256)
FROM removed;

-- The policies that there are at first, and what no statement may do to policies.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TRIGGER policy_set_version_forward
    BEFORE UPDATE ON registry.policy_set FOR EACH ROW
    WHEN (NEW.version <= OLD.version)
    EXECUTE FUNCTION registry.refuse('a version that was once given never comes back');

CREATE TRIGGER policy_set_kept
    BEFORE DELETE ON registry.policy_set FOR EACH ROW
    EXECUTE FUNCTION registry.refuse('the version of the policies is kept');

-- What is locked is relied upon: it retains what it did, for as long or longer.
CREATE TRIGGER policies_locked_forward
    BEFORE UPDATE ON registry.policies FOR EACH ROW
    WHEN (OLD.policy ->> 'locked' = 'true' AND (
        NEW.name <> OLD.name
        OR NEW.age_seconds < OLD.age_seconds
        OR coalesce((NEW.policy ->> 'keep_last')::bigint, 0) < coalesce((OLD.policy ->> 'keep_last')::bigint, 0)
        OR NEW.policy ->> 'locked' IS DISTINCT FROM 'true'
        OR NEW.policy ->> 'kind' IS DISTINCT FROM OLD.policy ->> 'kind'
        OR NEW.policy ->> 'clock' IS DISTINCT FROM OLD.policy ->> 'clock'
        OR (NEW.policy -> 'selector')::jsonb IS DISTINCT FROM (OLD.policy -> 'selector')::jsonb))
    EXECUTE FUNCTION registry.refuse('a locked policy stays locked, and its age only grows');

CREATE TRIGGER policies_locked_kept
    BEFORE DELETE ON registry.policies FOR EACH ROW
    WHEN (OLD.policy ->> 'locked' = 'true')
    EXECUTE FUNCTION registry.refuse('a locked policy stays');

CREATE TRIGGER policies_never_truncated
    BEFORE TRUNCATE ON registry.policies FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('a locked policy stays');

-- Three act; the others are examples, which do nothing until somebody enables them. Where policies are kept already,
-- those are what was wanted.
WITH told (days, policy) AS (VALUES
    (30, json '{"name": "cool-superseded", "kind": "archive", "target_tier": "Cool", "clock": "superseded", "age": "P30D", "keep_last": 0, "selector": {}, "enabled": true, "priority": 100, "locked": false}'),
    (0, '{"name": "delete-expired", "kind": "expire", "clock": "expires", "age": "PT0S", "keep_last": 0, "selector": {}, "enabled": true, "priority": 100, "locked": false}'),
    (90, '{"name": "purge-deleted", "kind": "purge", "clock": "deleted", "age": "P90D", "keep_last": 0, "selector": {}, "enabled": true, "priority": 100, "locked": false}'),
    (180, '{"name": "archive-old-revisions", "kind": "archive", "target_tier": "Archive", "clock": "superseded", "age": "P180D", "keep_last": 3, "selector": {}, "enabled": false, "priority": 100, "locked": false}'),
    (365, '{"name": "delete-old-revisions", "kind": "delete", "clock": "superseded", "age": "P1Y", "keep_last": 10, "selector": {}, "enabled": false, "priority": 100, "locked": false}'),
    (30, '{"name": "delete-failed", "kind": "delete", "clock": "created", "age": "P30D", "keep_last": 0, "selector": {"processing": "failed"}, "enabled": false, "priority": 100, "locked": false}'),
    (30, '{"name": "delete-intermediate", "kind": "delete", "clock": "created", "age": "P30D", "keep_last": 0, "selector": {"stage": "intermediate", "status": "superseded"}, "enabled": false, "priority": 100, "locked": false}'),
    (90, '{"name": "delete-candidates", "kind": "delete", "clock": "superseded", "age": "P90D", "keep_last": 0, "selector": {"stage": "candidate"}, "enabled": false, "priority": 100, "locked": false}'),
    (30, '{"name": "delete-old", "kind": "delete", "clock": "created", "age": "P30D", "keep_last": 0, "selector": {}, "enabled": false, "priority": 100, "locked": false}')
), kept AS (
    INSERT INTO registry.policies (name, policy, age_seconds)
    SELECT told.policy ->> 'name', told.policy, told.days * 86400 FROM told
    WHERE NOT EXISTS (SELECT FROM registry.policies)
    RETURNING name
)
UPDATE registry.policy_set SET version = version + 1 WHERE EXISTS (SELECT FROM kept);

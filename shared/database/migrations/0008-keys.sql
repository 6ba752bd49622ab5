-- What administering API keys needs: rotation, lists by state, and guards.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE registry.api_keys
    -- Unique: a key is replaced once. What replaced it is told by looking the other way.
    ADD COLUMN rotated_from uuid
        CONSTRAINT api_keys_rotated_once UNIQUE
        CONSTRAINT api_keys_rotated_from_known REFERENCES registry.api_keys
        CONSTRAINT api_keys_rotated_from_another CHECK (rotated_from <> key_id),
    -- Python's dates end with the year 9999 in every time zone. Older rows are left as they are.
    ADD CONSTRAINT api_keys_expires_at_range CHECK (expires_at < '9999-01-01Z') NOT VALID;

-- Keys without an expiry have their place in the order of ends as well.
CREATE INDEX api_keys_by_end ON registry.api_keys (coalesce(expires_at, 'infinity'), key_id) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_revoked ON registry.api_keys (key_id) WHERE revoked_at IS NOT NULL;

CREATE VIEW registry.api_key_records AS
    SELECT known.key_id, known.name, known.scopes, known.created_at, known.expires_at, known.revoked_at,
           known.rotated_from, successor.key_id AS replaced_by
    FROM registry.api_keys AS known
    LEFT JOIN registry.api_keys AS successor ON successor.rotated_from = known.key_id;

CREATE TRIGGER api_keys_immutable
    BEFORE UPDATE OF key_id, name, key_hash, scopes, created_at, rotated_from
    ON registry.api_keys FOR EACH ROW
    WHEN ((OLD.key_id, OLD.name, OLD.key_hash, OLD.scopes, OLD.created_at, OLD.rotated_from)
        IS DISTINCT FROM (NEW.key_id, NEW.name, NEW.key_hash, NEW.scopes, NEW.created_at, NEW.rotated_from))
    EXECUTE FUNCTION registry.refuse('a key stays what it was made as; make another');

CREATE TRIGGER api_keys_revoked_forward
    BEFORE UPDATE OF revoked_at ON registry.api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
    EXECUTE FUNCTION registry.refuse('a revoked key stays revoked');

CREATE TRIGGER api_keys_kept
    BEFORE DELETE ON registry.api_keys FOR EACH ROW
    EXECUTE FUNCTION registry.refuse('a key that the audit trail names is kept');

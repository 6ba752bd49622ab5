-- Rules that say what an upload is; its own row, the version tells whoever keeps a copy that it is old.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE registry.ingestion_rules (
    name text COLLATE "C" PRIMARY KEY
        CONSTRAINT ingestion_rules_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    -- As it was written, so that a file which is exported is the one that was applied.
    rule json NOT NULL
        CONSTRAINT ingestion_rules_rule_object CHECK (json_typeof(rule) = 'object')
        -- A missing name is null, which a CHECK lets pass.
        CONSTRAINT ingestion_rules_rule_name CHECK (coalesce(rule ->> 'name', '') = name)
);

-- One row, the lock under which rules change. All of them are one document, so their version is one too.
CREATE TABLE registry.ingestion_rule_set (
    is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT ingestion_rule_set_only CHECK (is_only),
    version bigint NOT NULL CONSTRAINT ingestion_rule_set_version_not_negative CHECK (version >= 0)
);
INSERT INTO registry.ingestion_rule_set (version) VALUES (0);

CREATE TRIGGER ingestion_rule_set_version_forward
    BEFORE UPDATE ON registry.ingestion_rule_set FOR EACH ROW
    WHEN (NEW.version <= OLD.version)
    EXECUTE FUNCTION registry.refuse('a version that was once given never comes back');

CREATE TRIGGER ingestion_rule_set_kept
    BEFORE DELETE ON registry.ingestion_rule_set FOR EACH ROW
    EXECUTE FUNCTION registry.refuse('the version of the rules is kept');

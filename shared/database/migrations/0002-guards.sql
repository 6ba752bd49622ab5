-- What no statement may do, whoever sends it: rewrite content, move an axis back, lose a record.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE FUNCTION registry.refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% refused on %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER artifacts_content_immutable
    BEFORE UPDATE OF artifact_id, asset_id, revision, storage_backend, storage_account, container, blob_path,
        storage_region, uri, artifact_type, data, stac_collection_id, stac_item_id,
        source_job_id, source_task_id, run_id, step_id, producer, producer_version, created_at
    ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.artifact_id, OLD.asset_id, OLD.revision, OLD.storage_backend, OLD.storage_account, OLD.container,
           OLD.blob_path, OLD.storage_region, OLD.uri, OLD.artifact_type, OLD.data, OLD.stac_collection_id,
           OLD.stac_item_id, OLD.source_job_id, OLD.source_task_id, OLD.run_id, OLD.step_id, OLD.producer,
           OLD.producer_version, OLD.created_at)
        IS DISTINCT FROM
          (NEW.artifact_id, NEW.asset_id, NEW.revision, NEW.storage_backend, NEW.storage_account, NEW.container,
           NEW.blob_path, NEW.storage_region, NEW.uri, NEW.artifact_type, NEW.data, NEW.stac_collection_id,
           NEW.stac_item_id, NEW.source_job_id, NEW.source_task_id, NEW.run_id, NEW.step_id, NEW.producer,
           NEW.producer_version, NEW.created_at))
    EXECUTE FUNCTION registry.refuse('content never changes after it was registered');

-- The facts of bytes that were not there yet when a pending artifact took its revision are filled
-- in once; known ones never change.
CREATE TRIGGER artifacts_facts_immutable
    BEFORE UPDATE OF content_hash, size_bytes, row_count, content_type
    ON registry.artifacts FOR EACH ROW
    WHEN ((CASE WHEN OLD.processing IN ('pending', 'in_progress')
            THEN (coalesce(OLD.content_hash, NEW.content_hash), coalesce(OLD.size_bytes, NEW.size_bytes),
                  coalesce(OLD.row_count, NEW.row_count), coalesce(OLD.content_type, NEW.content_type))
            ELSE (OLD.content_hash, OLD.size_bytes, OLD.row_count, OLD.content_type) END)
        IS DISTINCT FROM (NEW.content_hash, NEW.size_bytes, NEW.row_count, NEW.content_type))
    EXECUTE FUNCTION registry.refuse('content facts never change once they are known');

CREATE TRIGGER artifacts_processing_forward
    BEFORE UPDATE OF processing ON registry.artifacts FOR EACH ROW
    WHEN (OLD.processing <> NEW.processing AND (OLD.processing, NEW.processing) NOT IN (
        ('pending', 'in_progress'), ('pending', 'completed'), ('pending', 'failed'),
        ('in_progress', 'completed'), ('in_progress', 'failed')))
    EXECUTE FUNCTION registry.refuse('processing moves forward only');

CREATE TRIGGER artifacts_stage_forward
    BEFORE UPDATE OF stage ON registry.artifacts FOR EACH ROW
    WHEN (OLD.stage <> NEW.stage AND (OLD.stage, NEW.stage) NOT IN (
        ('intermediate', 'candidate'), ('intermediate', 'published'), ('candidate', 'published')))
    EXECUTE FUNCTION registry.refuse('stage moves forward only');

CREATE TRIGGER artifacts_disposition_forward
    BEFORE UPDATE OF disposition ON registry.artifacts FOR EACH ROW
    WHEN (OLD.disposition <> NEW.disposition AND (OLD.disposition, NEW.disposition) NOT IN (
        ('live', 'archived'), ('live', 'deleted'), ('archived', 'deleted'), ('deleted', 'purged')))
    EXECUTE FUNCTION registry.refuse('disposition moves forward only');

CREATE TRIGGER artifacts_times_set_once
    BEFORE UPDATE OF archived_at, deleted_at, purged_at ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.archived_at IS NOT NULL AND OLD.archived_at IS DISTINCT FROM NEW.archived_at)
       OR (OLD.deleted_at IS NOT NULL AND OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
       OR (OLD.purged_at IS NOT NULL AND OLD.purged_at IS DISTINCT FROM NEW.purged_at))
    EXECUTE FUNCTION registry.refuse('archived_at, deleted_at and purged_at are set once');

CREATE TRIGGER artifacts_never_removed
    BEFORE DELETE ON registry.artifacts FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('the record is kept');
CREATE TRIGGER artifacts_never_truncated
    BEFORE TRUNCATE ON registry.artifacts FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('the record is kept');

-- Triggers, not CHECKs: these would be worked out again at every update of an asset, although what
-- they look at never changes.
CREATE TRIGGER assets_client_refs_length
    BEFORE INSERT ON registry.assets FOR EACH ROW
    WHEN (octet_length(NEW.client_refs::text) > 8192)
    EXECUTE FUNCTION registry.refuse('client references have at most 8192 bytes');
CREATE TRIGGER assets_client_refs_canonical
    BEFORE INSERT ON registry.assets FOR EACH ROW
    WHEN (jsonb_path_exists(NEW.client_refs, 'strict $.** ? (@.type() == "number")')
          AND NOT registry.numbers_are_canonical(NEW.client_refs))
    EXECUTE FUNCTION registry.refuse('numbers in client references have no trailing zeros');

CREATE TRIGGER assets_identity_immutable
    BEFORE UPDATE OF asset_id, client_type, client_refs, created_at ON registry.assets FOR EACH ROW
    WHEN ((OLD.asset_id, OLD.client_type, OLD.client_refs, OLD.created_at)
        IS DISTINCT FROM (NEW.asset_id, NEW.client_type, NEW.client_refs, NEW.created_at))
    EXECUTE FUNCTION registry.refuse('an asset keeps its identity');
CREATE TRIGGER assets_last_revision_forward
    BEFORE UPDATE OF last_revision ON registry.assets FOR EACH ROW
    WHEN (NEW.last_revision < OLD.last_revision)
    EXECUTE FUNCTION registry.refuse('last_revision never goes back');
CREATE TRIGGER assets_never_removed
    BEFORE DELETE ON registry.assets FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('the record is kept');
CREATE TRIGGER assets_never_truncated
    BEFORE TRUNCATE ON registry.assets FOR EACH STATEMENT
    EXECUTE FUNCTION registry.refuse('the record is kept');

-- Writing an artifact for less: the rules of a row in one function, its notes once a statement.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- PostgreSQL parses and plans every CHECK of a table anew in each statement that writes to it: the 34 of
-- artifacts cost a sixth of a registration. A function is read once a connection. Rules of one row only: what
-- its columns may hold, alone and together.
CREATE FUNCTION registry.broken_rule(artifact registry.artifacts) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN artifact.revision < 1 THEN 'revision_positive'
        WHEN char_length(artifact.storage_backend) NOT BETWEEN 1 AND 50 THEN 'storage_backend_length'
        WHEN char_length(artifact.storage_account) NOT BETWEEN 1 AND 64 THEN 'storage_account_form'
        WHEN artifact.storage_account ~ '[[:cntrl:]]' THEN 'storage_account_form'
        WHEN char_length(artifact.container) NOT BETWEEN 1 AND 64 THEN 'container_form'
        WHEN artifact.container ~ '[[:cntrl:]]' THEN 'container_form'
        WHEN char_length(artifact.blob_path) NOT BETWEEN 1 AND 1024 THEN 'blob_path_length'
        WHEN num_nulls(artifact.storage_account, artifact.container, artifact.blob_path) NOT IN (0, 3)
            THEN 'location_whole'
        WHEN char_length(artifact.blob_version_id) NOT BETWEEN 1 AND 64 THEN 'blob_version_id_length'
        WHEN artifact.blob_etag !~ '^[^"]{1,128}$' THEN 'blob_etag_form'
        WHEN artifact.observation <= 0 THEN 'observation_positive'
        WHEN char_length(artifact.storage_region) NOT BETWEEN 1 AND 64 THEN 'storage_region_length'
        WHEN char_length(artifact.uri) NOT BETWEEN 1 AND 16384 THEN 'uri_length'
        WHEN char_length(artifact.storage_tier) NOT BETWEEN 1 AND 32 THEN 'storage_tier_length'
        WHEN artifact.content_hash !~ '^1220[0-9a-f]{64}$' THEN 'content_hash_form'
        WHEN artifact.size_bytes < 0 THEN 'size_bytes_not_negative'
        WHEN artifact.row_count < 0 THEN 'row_count_not_negative'
        WHEN char_length(artifact.content_type) NOT BETWEEN 1 AND 255 THEN 'content_type_length'
        WHEN char_length(artifact.artifact_type) NOT BETWEEN 1 AND 100 THEN 'artifact_type_length'
        WHEN pg_column_size(artifact.data) > 1048576 THEN 'data_size'
        WHEN jsonb_typeof(artifact.metadata) <> 'object' THEN 'metadata_object'
        WHEN pg_column_size(artifact.metadata) > 1048576 THEN 'metadata_size'
        WHEN char_length(artifact.stac_collection_id) NOT BETWEEN 1 AND 255 THEN 'stac_collection_id_length'
        WHEN char_length(artifact.stac_item_id) NOT BETWEEN 1 AND 255 THEN 'stac_item_id_length'
        WHEN char_length(artifact.source_job_id) NOT BETWEEN 1 AND 255 THEN 'source_job_id_length'
        WHEN char_length(artifact.source_task_id) NOT BETWEEN 1 AND 255 THEN 'source_task_id_length'
        WHEN char_length(artifact.producer) NOT BETWEEN 1 AND 255 THEN 'producer_length'
        WHEN char_length(artifact.producer_version) NOT BETWEEN 1 AND 100 THEN 'producer_version_length'
        WHEN artifact.processing NOT IN ('pending', 'in_progress', 'completed', 'failed') THEN 'processing_known'
        WHEN artifact.stage NOT IN ('intermediate', 'candidate', 'published') THEN 'stage_known'
        WHEN artifact.disposition NOT IN ('live', 'archived', 'deleted', 'purged') THEN 'disposition_known'
        -- Python's dates end with the year 9999 in every time zone.
        WHEN artifact.expires_at < '1970-01-01Z' OR artifact.expires_at >= '9999-01-01Z' THEN 'expires_at_range'
        WHEN artifact.disposition = 'archived' AND artifact.archived_at IS NULL THEN 'archived_when'
        WHEN artifact.disposition IN ('deleted', 'purged') AND artifact.deleted_at IS NULL THEN 'deleted_when'
        WHEN (artifact.disposition = 'purged') <> (artifact.purged_at IS NOT NULL) THEN 'purged_when'
        WHEN artifact.disposition = 'purged' AND artifact.data IS NOT NULL THEN 'purged_data'
    END;
END
$$;

-- True, or an error that names the rule as the CHECK of that name did.
CREATE FUNCTION registry.breaks_none(kept_in text, broken text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    rule text := kept_in || '_' || broken;
BEGIN
    IF rule IS NOT NULL THEN
        RAISE EXCEPTION 'a row breaks the rule %', rule
            USING ERRCODE = 'check_violation', SCHEMA = 'registry', TABLE = kept_in, CONSTRAINT = rule;
    END IF;
    RETURN true;
END
$$;

-- Not looked at again: every row has kept the CHECKs that this one stands for.
ALTER TABLE registry.artifacts
    ADD CONSTRAINT artifacts_rules CHECK (registry.breaks_none('artifacts', registry.broken_rule(artifacts))) NOT VALID,
    DROP CONSTRAINT artifacts_revision_positive,
    DROP CONSTRAINT artifacts_storage_backend_length,
    DROP CONSTRAINT artifacts_storage_account_form,
    DROP CONSTRAINT artifacts_container_form,
    DROP CONSTRAINT artifacts_blob_path_length,
    DROP CONSTRAINT artifacts_location_whole,
    DROP CONSTRAINT artifacts_blob_version_id_length,
    DROP CONSTRAINT artifacts_blob_etag_form,
    DROP CONSTRAINT artifacts_observation_positive,
    DROP CONSTRAINT artifacts_storage_region_length,
    DROP CONSTRAINT artifacts_uri_length,
    DROP CONSTRAINT artifacts_storage_tier_length,
    DROP CONSTRAINT artifacts_content_hash_form,
    DROP CONSTRAINT artifacts_size_bytes_not_negative,
    DROP CONSTRAINT artifacts_row_count_not_negative,
    DROP CONSTRAINT artifacts_content_type_length,
    DROP CONSTRAINT artifacts_artifact_type_length,
    DROP CONSTRAINT artifacts_data_size,
    DROP CONSTRAINT artifacts_metadata_object,
    DROP CONSTRAINT artifacts_metadata_size,
    DROP CONSTRAINT artifacts_stac_collection_id_length,
    DROP CONSTRAINT artifacts_stac_item_id_length,
    DROP CONSTRAINT artifacts_source_job_id_length,
    DROP CONSTRAINT artifacts_source_task_id_length,
    DROP CONSTRAINT artifacts_producer_length,
    DROP CONSTRAINT artifacts_producer_version_length,
    DROP CONSTRAINT artifacts_processing_known,
    DROP CONSTRAINT artifacts_stage_known,
    DROP CONSTRAINT artifacts_disposition_known,
    DROP CONSTRAINT artifacts_expires_at_range,
    DROP CONSTRAINT artifacts_archived_when,
    DROP CONSTRAINT artifacts_deleted_when,
    DROP CONSTRAINT artifacts_purged_when,
    DROP CONSTRAINT artifacts_purged_data;

-- The same for assets, which every registration changes, and for the outbox, to which it adds.
CREATE FUNCTION registry.broken_rule(asset registry.assets) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN char_length(asset.client_type) NOT BETWEEN 1 AND 50 THEN 'client_type_length'
        WHEN asset.client_type ~ '[[:cntrl:]]' THEN 'client_type_printable'
        WHEN jsonb_typeof(asset.client_refs) <> 'object' THEN 'client_refs_object'
        WHEN asset.client_refs = '{}' THEN 'client_refs_not_empty'
        WHEN asset.last_revision < 0 THEN 'last_revision_not_negative'
        WHEN char_length(asset.hierarchy) NOT BETWEEN 1 AND 100 THEN 'hierarchy_length'
        WHEN asset.parent_asset_id = asset.asset_id THEN 'parent_is_another'
        WHEN char_length(asset.level) NOT BETWEEN 1 AND 100 THEN 'level_length'
    END;
END
$$;
ALTER TABLE registry.assets
    ADD CONSTRAINT assets_rules CHECK (registry.breaks_none('assets', registry.broken_rule(assets))) NOT VALID,
    DROP CONSTRAINT assets_client_type_length,
    DROP CONSTRAINT assets_client_type_printable,
    DROP CONSTRAINT assets_client_refs_object,
    DROP CONSTRAINT assets_client_refs_not_empty,
    DROP CONSTRAINT assets_last_revision_not_negative,
    DROP CONSTRAINT assets_hierarchy_length,
    DROP CONSTRAINT assets_parent_is_another,
    DROP CONSTRAINT assets_level_length;

CREATE FUNCTION registry.broken_rule(event registry.outbox) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN char_length(event.operation) NOT BETWEEN 1 AND 100 THEN 'operation_length'
        WHEN char_length(event.actor) NOT BETWEEN 1 AND 255 THEN 'actor_length'
        WHEN char_length(event.request_id) NOT BETWEEN 1 AND 255 THEN 'request_id_length'
        WHEN jsonb_typeof(event.details) <> 'object' THEN 'details_object'
    END;
END
$$;
ALTER TABLE registry.outbox
    ADD CONSTRAINT outbox_rules CHECK (registry.breaks_none('outbox', registry.broken_rule(outbox))) NOT VALID,
    DROP CONSTRAINT outbox_operation_length,
    DROP CONSTRAINT outbox_actor_length,
    DROP CONSTRAINT outbox_request_id_length,
    DROP CONSTRAINT outbox_details_object;

CREATE OR REPLACE FUNCTION registry.keep_references() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.members
    SELECT registry.member('refs ' || asset.client_type, given.key, given.value), asset.asset_id
    FROM made AS asset CROSS JOIN jsonb_each(asset.client_refs) AS given
    WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
DROP TRIGGER assets_keep_references ON registry.assets;
CREATE TRIGGER assets_keep_references
    AFTER INSERT ON registry.assets REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION registry.keep_references();

CREATE OR REPLACE FUNCTION registry.note_new_artifact() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifact_changes
        (asset_id, new_status, new_size_bytes, new_row_count, new_assets, content_hash)
    SELECT asset_id, status, size_bytes, row_count, CASE WHEN revision = 1 THEN 1 ELSE 0 END, content_hash FROM made;
    INSERT INTO registry.members
    SELECT registry.member('metadata', given.key, given.value), artifact.artifact_id
    FROM made AS artifact CROSS JOIN jsonb_each(artifact.metadata) AS given
    WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
DROP TRIGGER artifacts_note_new ON registry.artifacts;
DROP TRIGGER artifacts_keep_metadata ON registry.artifacts;
CREATE TRIGGER artifacts_note_new
    AFTER INSERT ON registry.artifacts REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION registry.note_new_artifact();

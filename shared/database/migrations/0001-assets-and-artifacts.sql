-- Assets, their artifacts (revisions), and the constraints that carry the registry's invariants.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA registry;

-- 1 and 1.0 are one number, yet jsonb keeps the trailing zero: identity accepts the short form only.
CREATE FUNCTION registry.numbers_are_canonical(document jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$  -- not SQL, which is planned anew for each statement
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM jsonb_path_query(document, 'strict $.** ? (@.type() == "number")') AS number
        WHERE trim_scale((number #>> '{}')::numeric)::text <> number #>> '{}'
    );
END
$$;

-- jsonb sorts keys and drops duplicates, so its text is canonical once its numbers are.
CREATE FUNCTION registry.identity_key(client_type text, client_refs jsonb) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN md5(client_type || chr(10) || client_refs::text)::uuid;

-- Blob names reach 1,024 characters, which no btree entry can hold.
CREATE FUNCTION registry.location_key(storage_account text, container text, blob_path text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN md5(storage_account || chr(10) || container || chr(10) || blob_path)::uuid;

CREATE TABLE registry.assets (
    asset_id uuid PRIMARY KEY,
    client_type text NOT NULL
        CONSTRAINT assets_client_type_length CHECK (char_length(client_type) BETWEEN 1 AND 50)
        CONSTRAINT assets_client_type_printable CHECK (client_type !~ '[[:cntrl:]]'),
    client_refs jsonb NOT NULL
        CONSTRAINT assets_client_refs_object CHECK (jsonb_typeof(client_refs) = 'object')
        CONSTRAINT assets_client_refs_not_empty CHECK (client_refs <> '{}'),
    identity_key uuid NOT NULL GENERATED ALWAYS AS (registry.identity_key(client_type, client_refs)) STORED
        CONSTRAINT assets_identity UNIQUE,
    last_revision integer NOT NULL DEFAULT 0
        CONSTRAINT assets_last_revision_not_negative CHECK (last_revision >= 0),
    current_artifact_id uuid,
    -- Only there to be a foreign key's third column: what an asset points at must be active.
    current_status text GENERATED ALWAYS AS (CASE WHEN current_artifact_id IS NOT NULL THEN 'active' END) STORED,
    hierarchy text CONSTRAINT assets_hierarchy_length CHECK (char_length(hierarchy) BETWEEN 1 AND 100),
    parent_asset_id uuid REFERENCES registry.assets
        CONSTRAINT assets_parent_is_another CHECK (parent_asset_id <> asset_id),
    level text CONSTRAINT assets_level_length CHECK (char_length(level) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE registry.artifacts (
    artifact_id uuid PRIMARY KEY,
    asset_id uuid NOT NULL REFERENCES registry.assets,
    revision integer NOT NULL CONSTRAINT artifacts_revision_positive CHECK (revision >= 1),
    supersedes uuid,
    superseded_by uuid,

    storage_backend text CONSTRAINT artifacts_storage_backend_length CHECK (char_length(storage_backend) BETWEEN 1 AND 50),
    storage_account text CONSTRAINT artifacts_storage_account_form
        CHECK (char_length(storage_account) BETWEEN 1 AND 64 AND storage_account !~ '[[:cntrl:]]'),
    container text CONSTRAINT artifacts_container_form
        CHECK (char_length(container) BETWEEN 1 AND 64 AND container !~ '[[:cntrl:]]'),
    blob_path text CONSTRAINT artifacts_blob_path_length CHECK (char_length(blob_path) BETWEEN 1 AND 1024),
    blob_version_id text CONSTRAINT artifacts_blob_version_id_length CHECK (char_length(blob_version_id) BETWEEN 1 AND 64),
    blob_etag text CONSTRAINT artifacts_blob_etag_form CHECK (blob_etag ~ '^[^"]{1,128}$'),
    observation bigint CONSTRAINT artifacts_observation_positive CHECK (observation > 0),
    storage_region text CONSTRAINT artifacts_storage_region_length CHECK (char_length(storage_region) BETWEEN 1 AND 64),
    uri text CONSTRAINT artifacts_uri_length CHECK (char_length(uri) BETWEEN 1 AND 16384),
    storage_tier text CONSTRAINT artifacts_storage_tier_length CHECK (char_length(storage_tier) BETWEEN 1 AND 32),
    location_key uuid GENERATED ALWAYS AS (registry.location_key(storage_account, container, blob_path)) STORED,

    content_hash text CONSTRAINT artifacts_content_hash_form CHECK (content_hash ~ '^1220[0-9a-f]{64}$'),
    size_bytes bigint CONSTRAINT artifacts_size_bytes_not_negative CHECK (size_bytes >= 0),
    row_count bigint CONSTRAINT artifacts_row_count_not_negative CHECK (row_count >= 0),
    content_type text CONSTRAINT artifacts_content_type_length CHECK (char_length(content_type) BETWEEN 1 AND 255),
    artifact_type text CONSTRAINT artifacts_artifact_type_length CHECK (char_length(artifact_type) BETWEEN 1 AND 100),
    data jsonb CONSTRAINT artifacts_data_size CHECK (pg_column_size(data) <= 1048576),
    metadata jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT artifacts_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
        CONSTRAINT artifacts_metadata_size CHECK (pg_column_size(metadata) <= 1048576),
    stac_collection_id text CONSTRAINT artifacts_stac_collection_id_length CHECK (char_length(stac_collection_id) BETWEEN 1 AND 255),
    stac_item_id text CONSTRAINT artifacts_stac_item_id_length CHECK (char_length(stac_item_id) BETWEEN 1 AND 255),
    source_job_id text CONSTRAINT artifacts_source_job_id_length CHECK (char_length(source_job_id) BETWEEN 1 AND 255),
    source_task_id text CONSTRAINT artifacts_source_task_id_length CHECK (char_length(source_task_id) BETWEEN 1 AND 255),
    run_id uuid,
    step_id uuid,
    producer text CONSTRAINT artifacts_producer_length CHECK (char_length(producer) BETWEEN 1 AND 255),
    producer_version text CONSTRAINT artifacts_producer_version_length CHECK (char_length(producer_version) BETWEEN 1 AND 100),

    processing text NOT NULL CONSTRAINT artifacts_processing_known
        CHECK (processing IN ('pending', 'in_progress', 'completed', 'failed')),
    stage text NOT NULL CONSTRAINT artifacts_stage_known
        CHECK (stage IN ('intermediate', 'candidate', 'published')),
    disposition text NOT NULL DEFAULT 'live' CONSTRAINT artifacts_disposition_known
        CHECK (disposition IN ('live', 'archived', 'deleted', 'purged')),
    -- The one place that derives the documents' status from the three axes.
    status text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN disposition IN ('deleted', 'purged') THEN 'deleted'
            WHEN disposition = 'archived' THEN 'archived'
            WHEN superseded_by IS NOT NULL THEN 'superseded'
            WHEN processing <> 'completed' THEN 'pending'
            ELSE 'active'
        END) STORED,
    is_resumable boolean NOT NULL DEFAULT false,
    is_final boolean NOT NULL DEFAULT false,
    -- Python's dates end with the year 9999 in every time zone.
    expires_at timestamptz CONSTRAINT artifacts_expires_at_range CHECK (expires_at >= '1970-01-01Z' AND expires_at < '9999-01-01Z'),
    verified_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    archived_at timestamptz,
    deleted_at timestamptz,
    purged_at timestamptz,

    CONSTRAINT artifacts_revision UNIQUE (asset_id, revision),
    CONSTRAINT artifacts_state UNIQUE (asset_id, artifact_id, status),
    CONSTRAINT artifacts_backward_link UNIQUE (asset_id, artifact_id, supersedes),
    CONSTRAINT artifacts_forward_link UNIQUE (asset_id, artifact_id, superseded_by),
    CONSTRAINT artifacts_location_whole CHECK (num_nulls(storage_account, container, blob_path) IN (0, 3)),
    CONSTRAINT artifacts_archived_when CHECK (disposition <> 'archived' OR archived_at IS NOT NULL),
    CONSTRAINT artifacts_deleted_when CHECK (disposition NOT IN ('deleted', 'purged') OR deleted_at IS NOT NULL),
    CONSTRAINT artifacts_purged_when CHECK ((disposition = 'purged') = (purged_at IS NOT NULL))
) WITH (fillfactor = 90);

-- Each link must be answered by its opposite on an artifact of the same asset. Deferred, because
-- one of the two rows is always written first.
ALTER TABLE registry.artifacts
    ADD CONSTRAINT artifacts_supersedes_answered FOREIGN KEY (asset_id, supersedes, artifact_id)
        REFERENCES registry.artifacts (asset_id, artifact_id, superseded_by) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT artifacts_superseded_by_answered FOREIGN KEY (asset_id, superseded_by, artifact_id)
        REFERENCES registry.artifacts (asset_id, artifact_id, supersedes) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE registry.assets
    ADD CONSTRAINT assets_current_is_its_active_one FOREIGN KEY (asset_id, current_artifact_id, current_status)
        REFERENCES registry.artifacts (asset_id, artifact_id, status) DEFERRABLE INITIALLY DEFERRED;

CREATE UNIQUE INDEX artifacts_one_active ON registry.artifacts (asset_id) WHERE status = 'active';
CREATE INDEX artifacts_location ON registry.artifacts (location_key, asset_id, observation) WHERE location_key IS NOT NULL;
CREATE INDEX artifacts_content_hash ON registry.artifacts (content_hash) WHERE content_hash IS NOT NULL;
CREATE INDEX artifacts_stac ON registry.artifacts (stac_collection_id, stac_item_id, artifact_id) WHERE stac_item_id IS NOT NULL;
CREATE INDEX artifacts_stac_active ON registry.artifacts (stac_collection_id, stac_item_id, artifact_id)
    WHERE stac_item_id IS NOT NULL AND status = 'active';
-- Ends of chains, and the few revisions between them that are in none: a chain is found and
-- counted without reading it.
CREATE INDEX artifacts_chain_first ON registry.artifacts (asset_id, revision)
    WHERE supersedes IS NULL AND processing = 'completed';
CREATE INDEX artifacts_chain_last ON registry.artifacts (asset_id, revision)
    WHERE superseded_by IS NULL AND processing = 'completed';
CREATE INDEX artifacts_unchained ON registry.artifacts (asset_id, revision) WHERE processing <> 'completed';
CREATE INDEX artifacts_source_job ON registry.artifacts (source_job_id, artifact_id) WHERE source_job_id IS NOT NULL;
CREATE INDEX assets_client_refs ON registry.assets USING gin (client_refs jsonb_path_ops);
CREATE INDEX assets_by_age ON registry.assets (client_type, asset_id);
CREATE INDEX assets_parent ON registry.assets (parent_asset_id) WHERE parent_asset_id IS NOT NULL;

-- Orders what workers saw of one blob: see docs/decisions.md, "Late readers never win".
CREATE SEQUENCE registry.observations;

-- What a reader sees of an artifact: the row with its asset's identity.
CREATE VIEW registry.artifact_records AS
    SELECT artifact.*, asset.client_type, asset.client_refs
    FROM registry.artifacts AS artifact JOIN registry.assets AS asset USING (asset_id);

CREATE TABLE registry.outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- Positions are handed out before commit; the transaction tells a reader what may still appear.
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    occurred_at timestamptz NOT NULL,
    operation text NOT NULL CONSTRAINT outbox_operation_length CHECK (char_length(operation) BETWEEN 1 AND 100),
    actor text NOT NULL CONSTRAINT outbox_actor_length CHECK (char_length(actor) BETWEEN 1 AND 255),
    request_id text CONSTRAINT outbox_request_id_length CHECK (char_length(request_id) BETWEEN 1 AND 255),
    asset_id uuid,
    artifact_id uuid,
    run_id uuid,
    details jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT outbox_details_object CHECK (jsonb_typeof(details) = 'object')
);

CREATE TABLE registry.api_keys (
    key_id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT api_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    key_hash bytea NOT NULL
        CONSTRAINT api_keys_hash UNIQUE
        CONSTRAINT api_keys_hash_length CHECK (octet_length(key_hash) = 32),
    scopes text[] NOT NULL CONSTRAINT api_keys_scopes_known CHECK (scopes <@ ARRAY['read', 'write', 'admin']),
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE registry.set_aside_messages (
    set_aside_id uuid PRIMARY KEY,
    source text NOT NULL CONSTRAINT set_aside_source_length CHECK (char_length(source) BETWEEN 1 AND 100),
    body bytea NOT NULL,
    reason text NOT NULL CONSTRAINT set_aside_reason_length CHECK (char_length(reason) BETWEEN 1 AND 100),
    explanation text NOT NULL,
    set_aside_at timestamptz NOT NULL
);
CREATE INDEX set_aside_messages_by_time ON registry.set_aside_messages (set_aside_at, set_aside_id);

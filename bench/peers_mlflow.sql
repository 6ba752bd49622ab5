-- Rows of MLflow's own tables, as its server writes them.

-- name: fill_models(artifacts)!
INSERT INTO registered_models (name, creation_time, last_updated_time, description, workspace)
SELECT 'model-' || place, 1, 1, '', 'default' FROM generate_series(1, :artifacts) AS place;

-- name: fill_model_tags(artifacts)!
INSERT INTO registered_model_tags (name, key, value, workspace)
SELECT 'model-' || place, tag.key, tag.value, 'default'
FROM generate_series(1, :artifacts) AS place
CROSS JOIN LATERAL (VALUES ('content_hash', encode(sha256(place::text::bytea), 'hex')),
                           ('dataset_id', md5(place::text))) AS tag (key, value);

-- name: fill_versions(artifacts)!
INSERT INTO model_versions
    (name, version, creation_time, last_updated_time, description, current_stage, source, run_id, status, run_link,
     storage_location, workspace)
SELECT 'model-' || place, 1, 1, 1, '', 'None', 's3://uploads/' || place, '', 'READY', '', 's3://uploads/' || place, 'default'
FROM generate_series(1, :artifacts) AS place;

-- name: fill_version_tags(artifacts)!
INSERT INTO model_version_tags (name, version, key, value, workspace)
SELECT 'model-' || place, 1, tag.key, tag.value, 'default'
FROM generate_series(1, :artifacts) AS place
CROSS JOIN LATERAL (VALUES ('content_hash', encode(sha256(place::text::bytea), 'hex')),
                           ('dataset_id', md5(place::text))) AS tag (key, value);

-- name: fill_runs(artifacts)!
INSERT INTO runs
    (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version,
     lifecycle_stage, artifact_uri, experiment_id)
SELECT md5('run ' || place), 'run-' || place, 'UNKNOWN', '', '', '', 'RUNNING', 1, '',
       'active', 's3://uploads/' || place, 0
FROM generate_series(1, :artifacts) AS place;

-- name: fill_run_tags(artifacts)!
INSERT INTO tags (run_uuid, key, value)
SELECT md5('run ' || place), tag.key, tag.value
FROM generate_series(1, :artifacts) AS place
CROSS JOIN LATERAL (VALUES ('content_hash', encode(sha256(place::text::bytea), 'hex')),
                           ('dataset_id', md5(place::text))) AS tag (key, value);

-- name: vacuum()!
VACUUM (ANALYZE);

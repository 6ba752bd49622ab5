-- name: register(request)^
-- Register one artifact: see registry.register_artifact.
SELECT outcome, artifact FROM registry.registered(:request);

-- name: register_batch(requests)
-- Register a list of artifacts: see registry.register_artifacts.
SELECT outcome, artifact FROM registry.registered_each(:requests);

-- name: prepare_one_by_one(requests)
-- In which order to register a list one at a time: see registry.prepare_one_by_one.
SELECT place FROM registry.prepare_one_by_one(:requests) AS place;

-- name: get_each(artifact_ids)
-- The artifacts of these ids.
SELECT artifact FROM registry.read_artifacts(:artifact_ids) AS artifact;

-- name: of_stac_item(collection_id, item_id)^
-- The active artifact of a STAC item, else its newest (ids are UUIDv7).
(SELECT row_to_json(record)::text AS artifact FROM registry.artifact_records AS record
 WHERE stac_collection_id = :collection_id AND stac_item_id = :item_id AND status = 'active'
 ORDER BY artifact_id DESC LIMIT 1)
UNION ALL
(SELECT row_to_json(record)::text AS artifact FROM registry.artifact_records AS record
 WHERE stac_collection_id = :collection_id AND stac_item_id = :item_id
 ORDER BY artifact_id DESC LIMIT 1)
LIMIT 1;

-- name: of_job(job_id, after, limit)
-- Artifacts that a job made, in the order of their ids; a page of them.
SELECT row_to_json(record)::text AS artifact FROM registry.artifact_records AS record
WHERE source_job_id = :job_id AND artifact_id > :after
ORDER BY artifact_id
LIMIT :limit;

-- name: observe(client_type, client_refs, storage_account, container, blob_path, blob_etag)^
-- Take the next observation of a blob, and say what is known of it: see registry.observe.
SELECT observation, artifact_id, is_missing
FROM registry.observe(:client_type, :client_refs, :storage_account, :container, :blob_path, :blob_etag);

-- name: next_observation()^
-- Take the next observation, of whatever is looked at next.
SELECT nextval('registry.observations') AS observation;

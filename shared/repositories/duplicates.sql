-- name: current_of(client_type, client_refs)^
-- The current artifact of the asset of exactly these references, if there is one.
SELECT row_to_json(record)::text AS artifact
FROM registry.assets AS asset
JOIN registry.artifact_records AS record ON record.artifact_id = asset.current_artifact_id
WHERE asset.identity_key = registry.identity_key(:client_type, :client_refs)
  AND asset.client_type = :client_type AND asset.client_refs = :client_refs;

-- name: holding(content_hash, after_asset, after_artifact, limit)
-- Artifacts of any client that hold a content, deleted ones left out; a page of them, by asset: see
-- registry.holding.
SELECT row_to_json(record)::text AS artifact
FROM unnest(registry.holding(:content_hash, :after_asset, :after_artifact, :limit))
     WITH ORDINALITY AS held (artifact_id, place)
JOIN registry.artifact_records AS record ON record.artifact_id = held.artifact_id
ORDER BY held.place;

-- name: groups(after, client_type, across_clients, limit)
-- Contents behind a hash that several assets hold, and what they cost: see registry.list_duplicates.
SELECT (listed.duplicates).*, listed.is_wanted, listed.goes_on
FROM registry.list_duplicates(:after, :client_type, :across_clients, :limit) AS listed
ORDER BY (listed.duplicates).content_hash;

-- name: exact(client_type, client_refs)
-- The asset of exactly these references.
SELECT asset_id, client_type, client_refs, last_revision FROM registry.asset_of(:client_type, :client_refs);

-- name: containing(client_type, client_refs, limit)^
-- The oldest asset whose references contain these (ids are UUIDv7), how many do, and the oldest of
-- them that has a current artifact: see registry.assets_containing.
SELECT asset.asset_id, asset.client_type, asset.client_refs, asset.last_revision,
    found.oldest_with_current, cardinality(found.asset_ids) AS matched_assets, found.is_complete
FROM registry.assets_containing(:client_type, :client_refs, :limit) AS found
LEFT JOIN registry.assets AS asset ON asset.asset_id = found.asset_ids[1];

-- name: current(asset_id)^
-- The current artifact of an asset, if it has one.
SELECT artifact FROM registry.current_artifact(:asset_id) AS artifact;

-- name: history(asset_id, below, limit)
-- Revisions of an asset, newest first, below a revision.
SELECT artifact FROM registry.asset_history(:asset_id, :below, :limit) AS artifact;

-- name: chain(artifact_id, direction, after, limit)
-- A page of the chain through an artifact. Links follow revisions (registry.join_chain keeps it so),
-- hence a chain is a range of completed revisions, which ends even where a link were corrupt.
WITH self AS (
    SELECT artifact_id, asset_id, revision, processing = 'completed' AS is_linked
    FROM registry.artifacts WHERE artifact_id = :artifact_id
), ends AS MATERIALIZED (
    SELECT self.*,
        CASE WHEN :direction = 'forward' OR NOT is_linked THEN revision ELSE (
            SELECT first.revision FROM registry.artifacts AS first
            WHERE first.asset_id = self.asset_id AND first.revision <= self.revision
              AND first.supersedes IS NULL AND first.processing = 'completed'
            ORDER BY first.revision DESC LIMIT 1) END AS first_revision,
        CASE WHEN :direction = 'backward' OR NOT is_linked THEN revision ELSE (
            SELECT last.revision FROM registry.artifacts AS last
            WHERE last.asset_id = self.asset_id AND last.revision >= self.revision
              AND last.superseded_by IS NULL AND last.processing = 'completed'
            ORDER BY last.revision LIMIT 1) END AS last_revision
    FROM self
)
SELECT
    last_revision - first_revision + 1 - CASE WHEN is_linked THEN (
        SELECT count(*) FROM registry.artifacts AS unchained
        WHERE unchained.asset_id = ends.asset_id AND unchained.processing <> 'completed'
          AND unchained.revision BETWEEN ends.first_revision AND ends.last_revision) ELSE 0 END AS chain_length,
    member.position, member.artifact
FROM ends CROSS JOIN LATERAL (
    (SELECT record.revision AS position, row_to_json(record)::text AS artifact
     FROM registry.artifact_records AS record
     WHERE :direction <> 'backward' AND record.asset_id = ends.asset_id
       AND record.revision BETWEEN greatest(first_revision, :after + 1) AND last_revision
       AND (record.processing = 'completed' OR record.artifact_id = ends.artifact_id)
     ORDER BY record.revision LIMIT :limit)
    UNION ALL
    (SELECT -record.revision AS position, row_to_json(record)::text AS artifact
     FROM registry.artifact_records AS record
     WHERE :direction = 'backward' AND record.asset_id = ends.asset_id
       AND record.revision BETWEEN first_revision AND least(last_revision, -(:after + 1))
       AND (record.processing = 'completed' OR record.artifact_id = ends.artifact_id)
     ORDER BY record.revision DESC LIMIT :limit)
) AS member
ORDER BY member.position;

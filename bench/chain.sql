-- name: forward(artifact_id)
-- The plain way from the first artifact of a chain to its last: link by link.
WITH RECURSIVE chain AS (
    SELECT * FROM registry.artifact_records WHERE artifact_id = :artifact_id
    UNION ALL
    SELECT next.* FROM chain JOIN registry.artifact_records AS next ON next.artifact_id = chain.superseded_by
)
SELECT * FROM chain;

-- name: both(artifact_id)
-- The plain way to both ends of a chain.
WITH RECURSIVE earlier AS (
    SELECT * FROM registry.artifact_records WHERE artifact_id = :artifact_id
    UNION ALL
    SELECT next.* FROM earlier JOIN registry.artifact_records AS next ON next.artifact_id = earlier.supersedes
), later AS (
    SELECT * FROM registry.artifact_records WHERE artifact_id = :artifact_id
    UNION ALL
    SELECT next.* FROM later JOIN registry.artifact_records AS next ON next.artifact_id = later.superseded_by
)
SELECT * FROM earlier UNION ALL SELECT * FROM later WHERE artifact_id <> :artifact_id
ORDER BY revision;

-- name: page(request)
-- A page of a list, and where it goes on: see registry.list_artifacts. An empty page is one row of
-- nulls, because it may go on as well.
SELECT page.next_at, page.next_id,
    CASE WHEN record.artifact_id IS NOT NULL THEN row_to_json(record)::text END AS artifact
FROM registry.list_artifacts(:request) AS page
LEFT JOIN LATERAL unnest(page.artifact_ids) WITH ORDINALITY AS told (artifact_id, place) ON true
LEFT JOIN registry.artifact_records AS record ON record.artifact_id = told.artifact_id
ORDER BY told.place;

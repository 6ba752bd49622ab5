-- name: fill_builds(builds)!
-- Builds of which nothing was told; the first is the one that is asked about.
INSERT INTO registry.runs (run_id, run_type, run_name, project, platform, created_at, updated_at)
SELECT md5('build ' || place)::uuid, 'build', 'build-' || place, 'project-' || mod(place, 50), 'platform-' || mod(place, 7),
    TIMESTAMPTZ '2026-01-01Z' + place * INTERVAL '1 s', TIMESTAMPTZ '2026-01-01Z' + place * INTERVAL '1 s'
FROM generate_series(1, CAST(:builds AS integer)) AS place;

-- name: fill_states(states)!
-- That one completed so many states and then failed.
WITH made AS (
    INSERT INTO registry.steps
        (step_id, run_id, position, state_code, step_name, attempt, status, created_at, started_at, ended_at)
    SELECT md5('step ' || place)::uuid, md5('build 1')::uuid, place, place - 1, 'state-' || place - 1, 1,
        CASE WHEN place < :states THEN 'completed' ELSE 'failed' END, TIMESTAMPTZ '2026-01-01Z',
        TIMESTAMPTZ '2026-01-01Z' + place * INTERVAL '1 min', TIMESTAMPTZ '2026-01-01Z' + (place + 1) * INTERVAL '1 min'
    FROM generate_series(1, CAST(:states AS integer)) AS place
)
UPDATE registry.runs
SET status = 'failed', state_code = :states - 2, state_name = 'state-' || :states - 2, steps = :states,
    started_at = TIMESTAMPTZ '2026-01-01Z', ended_at = TIMESTAMPTZ '2026-01-02Z'
WHERE run_id = md5('build 1')::uuid;

-- name: fill_artifacts(artifacts, states)!
-- It left so many artifacts, spread over its states; one in ten may be gone on from.
WITH made_assets AS (
    INSERT INTO registry.assets (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
    SELECT md5('build asset ' || place)::uuid, 'build', jsonb_build_object('build_id', md5('build 1')::uuid, 'name', 'part-' || place),
        1, md5('build artifact ' || place)::uuid, TIMESTAMPTZ '2026-01-01Z'
    FROM generate_series(1, CAST(:artifacts AS integer)) AS place
), told AS (
    INSERT INTO registry.build_artifacts (artifact_id, run_id, state_code, checksum, checksum_algorithm, created_at)
    SELECT md5('build artifact ' || place)::uuid, md5('build 1')::uuid, mod(place, CAST(:states AS integer)),
        encode(sha256(place::text::bytea), 'hex'), 'sha256', TIMESTAMPTZ '2026-01-01Z'
    FROM generate_series(1, CAST(:artifacts AS integer)) AS place
)
INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, storage_backend, uri, content_hash, size_bytes, artifact_type, metadata,
     run_id, processing, stage, is_resumable, created_at, updated_at)
SELECT md5('build artifact ' || place)::uuid, md5('build asset ' || place)::uuid, 1, 's3', 's3://builds/part-' || place,
    '1220' || encode(sha256(place::text::bytea), 'hex'), 123456, 'disk_image', '{"format": "qcow2"}',
    md5('build 1')::uuid, 'completed', 'intermediate', mod(place, 10) = 0, TIMESTAMPTZ '2026-01-01Z', TIMESTAMPTZ '2026-01-01Z'
FROM generate_series(1, CAST(:artifacts AS integer)) AS place;

-- name: ids_of_builds(count)
-- Builds of which nothing was told, in no particular order.
SELECT run_id FROM registry.runs WHERE status = 'pending' ORDER BY run_id LIMIT :count;

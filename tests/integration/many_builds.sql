-- A tenth as many builds as the setting fill.scale says, ten states and five artifacts each, and three with as much as a
-- build may well have: 0 with 100 states and 1,000 artifacts, 1 with 19 attempts at each state, 2 with a long chain.
SET session_replication_role = replica;  -- as in the other file, which ends what this one begins

INSERT INTO registry.projects (name, states, created_at, updated_at)
SELECT 'project ' || i, '[]', now(), now() FROM generate_series(1, current_setting('fill.scale')::integer / 10) AS i
UNION ALL
SELECT 'images', jsonb_agg(jsonb_build_object('code', code, 'name', 'state-' || code, 'initial', code = 0, 'final', code = 100,
       'error', false, 'resumable', true, 'required_artifacts', '[]'::jsonb) ORDER BY code), now(), now()
FROM generate_series(0, 100) AS code;

INSERT INTO registry.runs
    (run_id, run_type, run_name, project, platform, os_version, image_type, status, state_code, state_name, steps, artifacts,
     resumes, created_at, updated_at, started_at, ended_at)
SELECT md5('build ' || i)::uuid, 'build', 'build ' || i, CASE WHEN i % 5 = 4 THEN 'project ' || i ELSE 'images' END,
       'x86', 'noble', 'server', told.status, told.state, 'state-' || told.state,
       CASE i WHEN 0 THEN 100 WHEN 1 THEN 1900 ELSE 10 END, CASE i WHEN 0 THEN 1000 WHEN 2 THEN 1005 ELSE 5 END,
       CASE WHEN i = 1 THEN 100 ELSE 10 END, now(), now(), now(), CASE WHEN told.status IN ('completed', 'failed') THEN now() END
FROM generate_series(0, current_setting('fill.scale')::integer / 10) AS i
CROSS JOIN LATERAL (
    SELECT CASE WHEN i = 0 THEN 'failed' WHEN i % 500 = 1 THEN 'in_progress' ELSE 'completed' END AS status,
           CASE WHEN i < 2 THEN 98 ELSE 100 END AS state) AS told;

INSERT INTO registry.steps
    (step_id, run_id, position, state_code, step_name, attempt, status, created_at, started_at, ended_at)
SELECT md5('step ' || build || ' ' || position)::uuid, md5('build ' || build)::uuid, position, state, 'state-' || state, attempt,
       status, at, at - position % 60 * interval '1 second', at
FROM (
    SELECT i AS build, k AS position, 10 * k AS state, 1 AS attempt, 'completed' AS status
    FROM generate_series(2, current_setting('fill.scale')::integer / 10) AS i CROSS JOIN generate_series(1, 10) AS k
    UNION ALL
    SELECT 0, state + 1, state, 1, CASE WHEN state < 99 THEN 'completed' ELSE 'failed' END
    FROM generate_series(0, 99) AS state
    UNION ALL
    SELECT 1, 19 * state + attempt, state, attempt, CASE WHEN state < 99 AND attempt = 19 THEN 'completed' ELSE 'failed' END
    FROM generate_series(0, 99) AS state CROSS JOIN generate_series(1, 19) AS attempt
) AS attempts
CROSS JOIN LATERAL (
    SELECT timestamptz '2026-01-01Z' + build * interval '1 minute' + position * interval '1 second' AS at) AS told;

CREATE TEMPORARY TABLE made AS
SELECT 'build artifact ' || i || ' ' || state AS id, i AS build, 'state-' || state AS name, 1 AS revision, 1 AS revisions, state
FROM generate_series(1, current_setting('fill.scale')::integer / 10) AS i CROSS JOIN generate_series(10, 50, 10) AS state
UNION ALL
SELECT 'long artifact ' || i, 0, 'artifact ' || i, 1, 1, i / 10 FROM generate_series(0, 999) AS i
UNION ALL
SELECT 'build revision ' || i, 2, 'overwritten', i, 1000, 10 FROM generate_series(1, 1000) AS i;

INSERT INTO registry.assets (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
SELECT md5('asset of ' || build || ' ' || name)::uuid, 'build',
       jsonb_build_object('build_id', md5('build ' || build)::uuid, 'name', name), revisions, md5(id)::uuid, now()
FROM made WHERE revision = revisions;

INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, supersedes, superseded_by, storage_backend, uri, artifact_type, run_id, is_resumable,
     is_final, processing, stage, disposition, created_at, updated_at)
SELECT md5(id)::uuid, md5('asset of ' || build || ' ' || name)::uuid, revision,
       CASE WHEN revision > 1 THEN md5('build revision ' || revision - 1)::uuid END,
       CASE WHEN revision < revisions THEN md5('build revision ' || revision + 1)::uuid END,
       's3', 's3://builds/' || id, 'qcow2', md5('build ' || build)::uuid, state % 2 = 0, false, 'completed', 'intermediate',
       'live', now(), now()
FROM made;

INSERT INTO registry.build_artifacts (artifact_id, run_id, state_code, checksum, checksum_algorithm, created_at)
SELECT md5(id)::uuid, md5('build ' || build)::uuid, state, md5(id), 'md5', now() FROM made;

DROP TABLE made;

INSERT INTO registry.resumes
    (resume_id, run_id, status, from_state, next_state, saved_seconds, requested_by, created_at, updated_at, ended_at)
SELECT md5('resume ' || i)::uuid, md5('build ' || CASE WHEN i > 100 THEN i / 10 ELSE 1 END)::uuid, 'failed', 10, 20, 1,
       'key:7', now(), now(), now()
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.run_variables
    (run_id, name, value, is_set, sensitive, required_for_resume, created_at, updated_at)
SELECT md5('build ' || i / 1000)::uuid, 'V' || i % 1000, 'value', true, false, i % 100 = 0, now(), now()
FROM generate_series(0, current_setting('fill.scale')::integer - 1) AS i;

INSERT INTO registry.run_totals (scope, figure, value, amount)
SELECT scope, figure, value, 1 + i % 7
FROM generate_series(1, current_setting('fill.scale')::integer / 10) AS i
CROSS JOIN LATERAL (VALUES
    ('', 'project', 'project ' || i), ('', 'platform', 'platform ' || i), ('project 78', 'platform', 'platform ' || i),
    ('project ' || i, 'status', 'completed'), ('project ' || i, 'state', '100')) AS sums (scope, figure, value);

INSERT INTO registry.run_changes (runs, status, project, platform, state_code, is_resumed, saved_seconds)
SELECT 1, 'completed', 'project ' || i, 'platform ' || i, 100, false, 0 FROM generate_series(1, 1000) AS i;


-- As many assets as the setting fill.scale says, one artifact each, and one asset with a long chain.
-- What is meant to be rare is as rare at any scale; what is shared is shared by all or by a fifth.
SET session_replication_role = replica;  -- rows made whole here need no guard while they load

INSERT INTO registry.assets
    (asset_id, client_type, client_refs, last_revision, current_artifact_id, created_at)
SELECT md5('asset ' || i)::uuid, CASE WHEN i % 5000 = 77 THEN 'rare' ELSE 'blob' END,
       jsonb_build_object('account', 'a', 'path', 'p/' || i) || CASE WHEN i % 5 = 0 THEN '{"fifth": true}' ELSE '{}' END::jsonb,
       CASE WHEN i > 0 THEN 1 ELSE 1000 END, CASE WHEN i > 0 THEN md5('artifact ' || i)::uuid ELSE md5('revision 1000')::uuid END,
       timestamptz '2026-01-01Z' + i * interval '1 second'
FROM generate_series(0, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, storage_account, container, blob_path, blob_etag, observation,
     content_hash, size_bytes, artifact_type, metadata, stac_collection_id, stac_item_id, source_job_id,
     processing, stage, disposition, archived_at, deleted_at, expires_at, created_at, updated_at)
SELECT md5('artifact ' || i)::uuid, md5('asset ' || i)::uuid, 1, 'a', 'c', 'p/' || i, 'e1', i,
       '1220' || encode(sha256(CASE WHEN i % 5 = 0 THEN 'shared' ELSE i::text END::bytea), 'hex'), i, 'raster',
       jsonb_build_object('title', 'title ' || i, 'kind', 'raster'),
       'collection', 'item ' || i, CASE WHEN i % 5 = 0 THEN 'nightly' ELSE 'job ' || i / 10 END,
       CASE WHEN i % 5000 = 78 THEN 'failed' ELSE 'completed' END,
       CASE WHEN i % 5000 = 79 THEN 'published' ELSE 'intermediate' END,
       CASE i % 5000 WHEN 80 THEN 'archived' WHEN 84 THEN 'deleted' ELSE 'live' END,
       CASE WHEN i % 5000 = 80 THEN now() END, CASE WHEN i % 5000 = 84 THEN now() END, CASE WHEN i % 5000 = 85 THEN now() END,
       timestamptz '2026-01-01Z' + i * interval '1 second', timestamptz '2026-01-01Z' + i * interval '1 second'
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.artifacts
    (artifact_id, asset_id, revision, supersedes, superseded_by, processing, stage, created_at, updated_at)
SELECT md5('revision ' || i)::uuid, md5('asset 0')::uuid, i,
       CASE WHEN i > 1 THEN md5('revision ' || i - 1)::uuid END,
       CASE WHEN i < 1000 THEN md5('revision ' || i + 1)::uuid END,
       'completed', 'intermediate', timestamptz '2025-01-01Z' + i * interval '1 second', now()
FROM generate_series(1, 1000) AS i;

INSERT INTO registry.members
SELECT registry.member('refs ' || asset.client_type, given.key, given.value), asset.asset_id
FROM registry.assets AS asset CROSS JOIN jsonb_each(asset.client_refs) AS given;
INSERT INTO registry.members
SELECT registry.member('metadata', given.key, given.value), artifact.artifact_id
FROM registry.artifacts AS artifact CROSS JOIN jsonb_each(artifact.metadata) AS given;

INSERT INTO registry.duplicated_content
SELECT DISTINCT content_hash FROM registry.artifacts WHERE content_hash IS NOT NULL
UNION ALL
SELECT '1220' || encode(sha256(('was shared once ' || i)::bytea), 'hex') FROM generate_series(1, 2000) AS i;

INSERT INTO registry.api_keys (key_id, name, key_hash, scopes, created_at, expires_at, revoked_at)
SELECT md5('key ' || i)::uuid, 'key ' || i, sha256(('key ' || i)::bytea), '{read}', now(),
       now() + i * interval '1 minute', CASE WHEN i % 2 = 0 THEN now() END
FROM generate_series(1, 20000) AS i;

INSERT INTO registry.ingestion_rules (name, rule)
SELECT 'rule ' || i, json_build_object('name', 'rule ' || i) FROM generate_series(1, 1000) AS i;

DELETE FROM registry.policies;
INSERT INTO registry.policies (name, policy, age_seconds)
SELECT 'policy ' || i, json_build_object('name', 'policy ' || i, 'kind', 'delete', 'clock', 'created', 'keep_last', 3), i
FROM generate_series(1, 1000) AS i;

INSERT INTO registry.policy_runs (run_id, policy_name, policy, age_seconds, is_scheduled, started_by, started_at, ended_at)
SELECT md5('run ' || i)::uuid, kept.name, kept.policy, kept.age_seconds, true, 'test', now(), CASE WHEN i > 1000 THEN now() END
FROM generate_series(1, current_setting('fill.scale')::integer) AS i
JOIN registry.policies AS kept ON kept.name = 'policy ' || i % 1000 + 1;

INSERT INTO registry.policy_actions (artifact_id, run_id, send_after, outcome, bytes)
SELECT md5('artifact ' || i)::uuid, md5('run ' || i % 1000 + 1)::uuid, timestamptz '2026-01-01Z' + i * interval '1 second',
       CASE WHEN i % 3 = 0 THEN 'acted' END, CASE WHEN i % 3 = 0 THEN i END
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.set_aside_messages
    (set_aside_id, source, body, reason, explanation, set_aside_at, state, ended_at, ended_by)
SELECT md5('message ' || i)::uuid, CASE WHEN i % 5 = 0 THEN 'artifact-registrations' ELSE 'blob-events' END,
       'not JSON', CASE WHEN i % 5000 = 77 THEN 'blob_not_found' ELSE 'malformed_message' END, 'It is not JSON.',
       timestamptz '2026-01-01Z' + i * interval '1 second', told.state,
       CASE WHEN told.state <> 'open' THEN now() END, CASE WHEN told.state <> 'open' THEN 'test' END
FROM generate_series(1, current_setting('fill.scale')::integer) AS i
CROSS JOIN LATERAL (SELECT CASE WHEN i % 3 = 0 THEN 'replayed' ELSE 'open' END AS state) AS told;

INSERT INTO registry.holds (hold_id, artifact_id, asset_id, reason, owner, placed_at, released_at, released_by)
SELECT md5('hold ' || i)::uuid, CASE WHEN i % 2 = 0 THEN md5('artifact ' || i)::uuid END,
       CASE WHEN i % 2 = 1 THEN md5('asset ' || i)::uuid END, 'a reason', 'key:7', now(),
       CASE WHEN i % 3 = 0 THEN now() END, CASE WHEN i % 3 = 0 THEN 'key:7' END
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.unhashed (artifact_id, size_bytes, due_at)
SELECT md5('artifact ' || i)::uuid, i, timestamptz '2026-01-01Z' + i * interval '1 second'
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.verifications_due (artifact_id, size_bytes, due_at)
SELECT artifact_id, size_bytes, due_at FROM registry.unhashed;

INSERT INTO registry.rehydrations (artifact_id, priority, due_at)
SELECT artifact_id, 'Standard', due_at FROM registry.unhashed;

INSERT INTO registry.byte_days (day, storage_tier, status, artifact_count, size_bytes)
SELECT day, tier, status, 100, 100
FROM (SELECT date '2000-01-01' + i AS day FROM generate_series(1, 10000) AS i UNION ALL SELECT 'infinity') AS days,
     unnest('{"",Hot,Cool,Cold,Archive,other}'::text[]) AS tier,
     unnest('{pending,active,superseded,archived,deleted}'::text[]) AS status;

INSERT INTO registry.artifact_figures
SELECT scope, figure, figure || ' ' || i, i, i, 0, 0
FROM unnest('{"",blob,rare}'::text[]) AS scope, unnest('{client,status,stage,type,backend,tier,container}'::text[]) AS figure,
     generate_series(1, 2000) AS i
UNION ALL
SELECT scope, 'day', to_char(date '2026-01-01' - i, 'YYYY-MM-DD'), 1, 1, 0, 0
FROM unnest('{"",blob,rare}'::text[]) AS scope, generate_series(-300, 5000) AS i;

INSERT INTO registry.error_days
SELECT date '2026-06-01' - i, 'operation ' || operation, 1
FROM generate_series(0, 5000) AS i, generate_series(1, 20) AS operation;

INSERT INTO registry.reconciled (run_id, location_key)
SELECT '00000000-0000-0000-0000-000000000001', md5('location ' || i)::uuid
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.sightings (location_key, observation, seen_at)
SELECT md5('location ' || i)::uuid, i, timestamptz '2000-01-01Z' + i * interval '1 second'
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.outbox (transaction_id, occurred_at, operation, actor)
SELECT (i / 3)::text::xid8, timestamptz '2026-01-01Z' + i * interval '1 second', 'status_update', 'key:7'
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.commits (number, transaction_id)
SELECT row_number() OVER (ORDER BY transaction_id), transaction_id
FROM (SELECT DISTINCT transaction_id FROM registry.outbox) AS written;

INSERT INTO registry.trail (number, event_id, recorded_at, shard, artifact_id, hash)
SELECT i, md5('event ' || i)::uuid, timestamptz '2026-01-01Z' + i * interval '1 second', i % 4, md5('artifact ' || i)::uuid,
       sha256(convert_to(i::text, 'UTF8'))
FROM generate_series(1, current_setting('fill.scale')::integer) AS i;

INSERT INTO registry.trail_waiting (number, event) SELECT number, '{}' FROM registry.trail;

INSERT INTO registry.trail_shards (shard, number, hash)
SELECT DISTINCT ON (shard) shard, number, hash FROM registry.trail ORDER BY shard, number DESC;

INSERT INTO registry.trail_days (day, first_number, last_number, earliest, latest)
SELECT date '2000-01-01' + i, i, i, date '2000-01-01' + i, date '2000-01-02' + i FROM generate_series(1, 10000) AS i;

SET session_replication_role = DEFAULT;
VACUUM ANALYZE;

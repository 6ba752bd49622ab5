-- Counts and bytes by what artifacts are, and failed attempts by what was attempted, without counting anew.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Before anything else: writers take this first, and what notes their changes then. Held until all are counted.
LOCK TABLE registry.artifacts IN SHARE ROW EXCLUSIVE MODE;

-- Artifacts of all clients (scope '') and of each, by value of a figure, where '' stands for none: no client and no value
-- is called ''. Of deleted ones told again on the right. The figure `day` is that of their registration (UTC).
CREATE TABLE registry.artifact_figures (
    scope text,
    figure text,
    value text,
    artifact_count bigint NOT NULL,
    size_bytes numeric NOT NULL,
    deleted_count bigint NOT NULL,
    deleted_bytes numeric NOT NULL,
    PRIMARY KEY (scope, figure, value)
) WITH (fillfactor = 80);
CREATE INDEX artifact_figures_largest ON registry.artifact_figures (scope, figure, artifact_count DESC, value);

-- What of an artifact is counted by, beside its client and its status: see registry.sides_of, which knows the order.
-- Not in PL/pgSQL: it becomes part of the statements that notes are written by.
CREATE FUNCTION registry.counted_values(
    stage text, artifact_type text, storage_backend text, storage_tier text, storage_account text, container text, made_on date
) RETURNS text[] LANGUAGE sql STABLE
RETURN ARRAY[stage, artifact_type, storage_backend, storage_tier, storage_account || '/' || container,
             to_char(made_on, 'YYYY-MM-DD')];

-- What a note takes off and adds. Notes of before this migration have no values: it counts those itself.
CREATE FUNCTION registry.sides_of(
    old_status text, old_size bigint, old_counted text[], new_status text, new_size bigint, new_counted text[]
) RETURNS TABLE (
    status text, stage text, artifact_type text, backend text, tier text, container text, made_on text,
    artifacts integer, size_bytes bigint
) LANGUAGE sql IMMUTABLE AS $$
    SELECT status, counted[1], counted[2], counted[3], counted[4], counted[5], counted[6], artifacts, size_bytes
    FROM (VALUES (old_status, old_counted, -1, -old_size), (new_status, new_counted, 1, new_size))
        AS side (status, counted, artifacts, size_bytes)
    WHERE counted IS NOT NULL
$$;

-- By which figure a row is grouped, of GROUPING(client, status, stage, type, backend, tier, container, day).
CREATE FUNCTION registry.figure_of(grouped integer) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE grouped WHEN 127 THEN 'client' WHEN 191 THEN 'status' WHEN 223 THEN 'stage' WHEN 239 THEN 'type'
    WHEN 247 THEN 'backend' WHEN 251 THEN 'tier' WHEN 253 THEN 'container' WHEN 254 THEN 'day' END;

-- What was registered before: one pass, and each value is told once a group, not once a row.
SET LOCAL work_mem = '128MB';  -- groups are kept in memory, not sorted: a third of the time
INSERT INTO registry.artifact_figures
SELECT scopes.scope,
    registry.figure_of(GROUPING(client_type, status, stage, artifact_type, storage_backend, storage_tier, place, made_on)),
    coalesce(client_type, status, stage, artifact_type, storage_backend, storage_tier, place, made_on, ''),
    sum(artifacts), sum(size_bytes), coalesce(sum(artifacts) FILTER (WHERE status = 'deleted'), 0),
    coalesce(sum(size_bytes) FILTER (WHERE status = 'deleted'), 0)
FROM (SELECT asset.client_type, made.status, made.stage, made.artifact_type, made.storage_backend, made.storage_tier,
          made.storage_account || '/' || made.container AS place,
          to_char((made.created_at AT TIME ZONE 'UTC')::date, 'YYYY-MM-DD') AS made_on,
          count(*) AS artifacts, coalesce(sum(made.size_bytes), 0) AS size_bytes
      FROM registry.artifacts AS made JOIN registry.assets AS asset USING (asset_id)
      GROUP BY asset.client_type, made.status, made.stage, made.artifact_type, made.storage_backend, made.storage_tier,
          made.storage_account, made.container, (made.created_at AT TIME ZONE 'UTC')::date) AS alike
CROSS JOIN LATERAL (VALUES (''), (alike.client_type)) AS scopes (scope)
GROUP BY scopes.scope, GROUPING SETS
    ((client_type), (status), (stage), (artifact_type), (storage_backend), (storage_tier), (place), (made_on));

-- Not before all are counted: from here on, who reads figures waits as well.
ALTER TABLE registry.artifact_changes ADD COLUMN old_counted text[], ADD COLUMN new_counted text[];

CREATE OR REPLACE FUNCTION registry.note_new_artifact() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifact_changes
        (asset_id, new_status, new_size_bytes, new_row_count, new_assets, content_hash, changed_at, new_tier, new_counted)
    SELECT asset_id, status, size_bytes, row_count, CASE WHEN revision = 1 THEN 1 ELSE 0 END, content_hash,
        created_at, registry.tier_counted(storage_tier, disposition),
        registry.counted_values(stage, artifact_type, storage_backend, storage_tier, storage_account, container,
            (created_at AT TIME ZONE 'UTC')::date) FROM made;
    INSERT INTO registry.members
    SELECT registry.member('metadata', given.key, given.value), artifact.artifact_id
    FROM made AS artifact CROSS JOIN jsonb_each(artifact.metadata) AS given
    WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION registry.note_changed_artifact() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifact_changes
    VALUES (NEW.asset_id, OLD.status, NEW.status, OLD.size_bytes, NEW.size_bytes, OLD.row_count, NEW.row_count, 0,
            CASE WHEN NEW.status = 'deleted' OR OLD.content_hash IS DISTINCT FROM NEW.content_hash THEN NEW.content_hash END,
            NEW.updated_at, registry.tier_counted(OLD.storage_tier, OLD.disposition),
            registry.tier_counted(NEW.storage_tier, NEW.disposition),
            registry.counted_values(OLD.stage, OLD.artifact_type, OLD.storage_backend, OLD.storage_tier,
                OLD.storage_account, OLD.container, (OLD.created_at AT TIME ZONE 'UTC')::date),
            registry.counted_values(NEW.stage, NEW.artifact_type, NEW.storage_backend, NEW.storage_tier,
                NEW.storage_account, NEW.container, (NEW.created_at AT TIME ZONE 'UTC')::date));
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER artifacts_note_changed
    AFTER UPDATE ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.status, OLD.size_bytes, OLD.row_count, OLD.content_hash, OLD.storage_tier, OLD.disposition,
           OLD.stage, OLD.storage_backend, OLD.storage_account, OLD.container)
        IS DISTINCT FROM (NEW.status, NEW.size_bytes, NEW.row_count, NEW.content_hash, NEW.storage_tier, NEW.disposition,
           NEW.stage, NEW.storage_backend, NEW.storage_account, NEW.container))
    EXECUTE FUNCTION registry.note_changed_artifact();

-- As before, and what artifacts are is folded into the figures.
CREATE OR REPLACE FUNCTION registry.fold_changes(most integer, at_least integer) RETURNS bigint
LANGUAGE plpgsql
SET lock_timeout = '10s' SET plan_cache_mode = force_custom_plan SET jit = off AS $$
DECLARE
    folded bigint;
BEGIN
    PERFORM FROM registry.artifact_changes OFFSET at_least - 1 LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('registry.fold'), 0);
    WITH taken AS MATERIALIZED (
        DELETE FROM registry.artifact_changes
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM registry.artifact_changes LIMIT most))
        RETURNING *
    ), sums AS (
        SELECT coalesce(asset.client_type, '') AS client_type, delta.status, sum(delta.artifacts) AS artifact_count,
            sum(delta.assets) AS asset_count, coalesce(sum(delta.size_bytes), 0) AS size_bytes,
            coalesce(sum(delta.row_count), 0) AS row_count
        FROM taken
        JOIN registry.assets AS asset USING (asset_id)
        CROSS JOIN LATERAL (VALUES
            (taken.old_status, -1, 0, -taken.old_size_bytes, -taken.old_row_count),
            (taken.new_status, 1, taken.new_assets, taken.new_size_bytes, taken.new_row_count)
        ) AS delta (status, artifacts, assets, size_bytes, row_count)
        WHERE delta.status IS NOT NULL
        GROUP BY GROUPING SETS ((asset.client_type, delta.status), (delta.status))
    ), added AS (
        INSERT INTO registry.artifact_totals AS total
        SELECT * FROM sums
        ON CONFLICT (client_type, status) DO UPDATE
        SET artifact_count = total.artifact_count + excluded.artifact_count,
            asset_count = total.asset_count + excluded.asset_count,
            size_bytes = total.size_bytes + excluded.size_bytes,
            row_count = total.row_count + excluded.row_count
    ), figures AS (
        SELECT scopes.scope,
            registry.figure_of(GROUPING(asset.client_type, side.status, side.stage, side.artifact_type, side.backend,
                side.tier, side.container, side.made_on)) AS figure,
            coalesce(asset.client_type, side.status, side.stage, side.artifact_type, side.backend,
                side.tier, side.container, side.made_on, '') AS value,
            sum(side.artifacts) AS artifacts, coalesce(sum(side.size_bytes), 0) AS size_bytes,
            coalesce(sum(side.artifacts) FILTER (WHERE side.status = 'deleted'), 0) AS deleted,
            coalesce(sum(side.size_bytes) FILTER (WHERE side.status = 'deleted'), 0) AS deleted_bytes
        FROM taken
        JOIN registry.assets AS asset USING (asset_id)
        CROSS JOIN LATERAL (VALUES (''), (asset.client_type)) AS scopes (scope)
        CROSS JOIN LATERAL registry.sides_of(taken.old_status, taken.old_size_bytes, taken.old_counted,
            taken.new_status, taken.new_size_bytes, taken.new_counted) AS side
        GROUP BY scopes.scope, GROUPING SETS ((asset.client_type), (side.status), (side.stage), (side.artifact_type),
            (side.backend), (side.tier), (side.container), (side.made_on))
    ), added_figures AS (
        INSERT INTO registry.artifact_figures AS known
        SELECT * FROM figures
        WHERE (figures.artifacts, figures.size_bytes, figures.deleted, figures.deleted_bytes) <> (0, 0, 0, 0)
        ON CONFLICT (scope, figure, value) DO UPDATE
        SET artifact_count = known.artifact_count + excluded.artifact_count,
            size_bytes = known.size_bytes + excluded.size_bytes,
            deleted_count = known.deleted_count + excluded.deleted_count,
            deleted_bytes = known.deleted_bytes + excluded.deleted_bytes
    ), moved AS (
        SELECT greatest((taken.changed_at AT TIME ZONE 'UTC')::date, begun.day) AS day,
            delta.tier, delta.status, delta.artifacts, delta.size_bytes
        FROM taken
        CROSS JOIN (SELECT min(day) AS day FROM registry.byte_days) AS begun
        CROSS JOIN LATERAL (VALUES
            (taken.old_tier, taken.old_status, -1, -taken.old_size_bytes),
            (taken.new_tier, taken.new_status, 1, taken.new_size_bytes)
        ) AS delta (tier, status, artifacts, size_bytes)
        WHERE delta.tier IS NOT NULL
    ), added_days AS (
        INSERT INTO registry.byte_days AS known
        SELECT coalesce(day, 'infinity'), tier, status, sum(artifacts), coalesce(sum(size_bytes), 0)
        FROM moved GROUP BY GROUPING SETS ((day, tier, status), (tier, status))
        ON CONFLICT (day, storage_tier, status) DO UPDATE
        SET artifact_count = known.artifact_count + excluded.artifact_count,
            size_bytes = known.size_bytes + excluded.size_bytes
    ), contents AS MATERIALIZED (
        SELECT named.content_hash, registry.is_duplicated(named.content_hash) AS is_duplicated
        FROM (SELECT DISTINCT content_hash FROM taken WHERE content_hash IS NOT NULL) AS named
    ), found AS (
        INSERT INTO registry.duplicated_content
        SELECT content_hash FROM contents WHERE is_duplicated
        ON CONFLICT DO NOTHING
    ), lost AS (
        DELETE FROM registry.duplicated_content AS known
        USING contents WHERE known.content_hash = contents.content_hash AND contents.is_duplicated IS NOT TRUE
    )
    SELECT count(*) INTO folded FROM taken;
    RETURN folded;
END
$$;

-- Figures of one client, or of all (null): of each the `most` largest values, and the days since one, sums and what is
-- not folded yet at one instant. Behind as many sums as there are notes, no note makes any other value one of the largest.
-- Notes have no index: before version 18 that alone makes the planner take it for worth compiling, at each call.
CREATE FUNCTION registry.read_figures(wanted text, first_day text, most integer)
RETURNS TABLE (
    figure text, value text, artifact_count bigint, size_bytes numeric, deleted_count bigint, deleted_bytes numeric
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    asked CONSTANT text := coalesce(wanted, '');
BEGIN
    IF wanted = '' THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH noted AS MATERIALIZED (
        SELECT registry.figure_of(GROUPING(asset.client_type, side.status, side.stage, side.artifact_type, side.backend,
                side.tier, side.container, side.made_on)) AS figure,
            coalesce(asset.client_type, side.status, side.stage, side.artifact_type, side.backend,
                side.tier, side.container, side.made_on, '') AS value,
            sum(side.artifacts) AS artifacts, coalesce(sum(side.size_bytes), 0) AS size_bytes,
            coalesce(sum(side.artifacts) FILTER (WHERE side.status = 'deleted'), 0) AS deleted,
            coalesce(sum(side.size_bytes) FILTER (WHERE side.status = 'deleted'), 0) AS deleted_bytes
        FROM registry.artifact_changes AS change
        CROSS JOIN LATERAL (  -- OFFSET 0: each is looked up by its id
            SELECT known.client_type FROM registry.assets AS known WHERE known.asset_id = change.asset_id OFFSET 0) AS asset
        CROSS JOIN LATERAL registry.sides_of(change.old_status, change.old_size_bytes, change.old_counted,
            change.new_status, change.new_size_bytes, change.new_counted) AS side
        WHERE asset.client_type = wanted OR wanted IS NULL
        GROUP BY GROUPING SETS ((asset.client_type), (side.status), (side.stage), (side.artifact_type),
            (side.backend), (side.tier), (side.container), (side.made_on))
    ), candidates AS (
        SELECT noted.figure, noted.value FROM noted
        UNION
        SELECT names.name, largest.value
        FROM unnest(ARRAY['client', 'status', 'stage', 'type', 'backend', 'tier', 'container']) AS names (name)
        CROSS JOIN LATERAL (
            SELECT total.value FROM registry.artifact_figures AS total
            WHERE total.scope = asked AND total.figure = names.name
            ORDER BY total.artifact_count DESC, total.value
            LIMIT most + (SELECT count(*) FROM noted WHERE noted.figure = names.name)) AS largest
        UNION
        SELECT 'day', total.value FROM registry.artifact_figures AS total
        WHERE total.scope = asked AND total.figure = 'day' AND total.value >= first_day
    ), summed AS (
        SELECT candidates.figure, candidates.value,
            coalesce(noted.artifacts, 0) + coalesce(total.artifact_count, 0) AS artifacts,
            coalesce(noted.size_bytes, 0) + coalesce(total.size_bytes, 0) AS bytes,
            coalesce(noted.deleted, 0) + coalesce(total.deleted_count, 0) AS deleted,
            coalesce(noted.deleted_bytes, 0) + coalesce(total.deleted_bytes, 0) AS bytes_of_deleted
        FROM candidates
        LEFT JOIN noted USING (figure, value)
        LEFT JOIN LATERAL (
            SELECT * FROM registry.artifact_figures AS known
            WHERE known.scope = asked AND known.figure = candidates.figure AND known.value = candidates.value
            OFFSET 0) AS total ON true
    )
    SELECT ranked.figure, ranked.value, ranked.artifacts::bigint, ranked.bytes, ranked.deleted::bigint, ranked.bytes_of_deleted
    FROM (SELECT summed.*, row_number() OVER (PARTITION BY summed.figure ORDER BY summed.artifacts DESC, summed.value) AS place
          FROM summed
          WHERE summed.artifacts > 0 AND (summed.figure <> 'day' OR summed.value >= first_day)) AS ranked
    WHERE ranked.place <= most OR ranked.figure = 'day'
    ORDER BY ranked.figure, ranked.place;
END
$$;

-- Attempts that failed, by the day on which they did (UTC): those that left the outbox for the trail. Counted as they
-- leave, one transaction after the other; those that are still there are counted when somebody asks.
CREATE TABLE registry.error_days (
    day date,
    operation text,
    error_count bigint NOT NULL,
    PRIMARY KEY (day, operation)
) WITH (fillfactor = 80);
CREATE INDEX outbox_errors ON registry.outbox (occurred_at, operation) WHERE NOT success;

CREATE FUNCTION registry.count_errors() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.error_days AS known
    SELECT (moved.occurred_at AT TIME ZONE 'UTC')::date, moved.operation, count(*)
    FROM moved WHERE NOT moved.success
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (day, operation) DO UPDATE SET error_count = known.error_count + excluded.error_count;
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_count_errors
    AFTER DELETE ON registry.outbox REFERENCING OLD TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION registry.count_errors();

-- Since a day (UTC): the operations that failed most often, and how often any did, on each row.
CREATE FUNCTION registry.read_errors(first_day date, most integer)
RETURNS TABLE (operation text, error_count bigint, total bigint)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT failed.operation, sum(failed.times)::bigint, (sum(sum(failed.times)) OVER ())::bigint
    FROM (
        SELECT known.operation, known.error_count AS times FROM registry.error_days AS known WHERE known.day >= first_day
        UNION ALL
        SELECT event.operation, 1 FROM registry.outbox AS event
        WHERE NOT event.success AND event.occurred_at >= first_day::timestamp AT TIME ZONE 'UTC'
    ) AS failed
    GROUP BY failed.operation
    ORDER BY 2 DESC, failed.operation
    LIMIT most;
END
$$;

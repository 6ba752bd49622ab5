-- How many bytes lay in which tier and status on which day; and when a policy acts on an artifact, or would have.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Before anything else: writers take this first, and what notes their changes then.
LOCK TABLE registry.artifacts IN SHARE ROW EXCLUSIVE MODE;

-- Changes of each day (UTC); on the day 'infinity', what all of them come to. So a day tells its sum by what came
-- after it, however long the history is. The tier '' is one that is not known.
CREATE TABLE registry.byte_days (
    day date,
    storage_tier text,
    status text,
    artifact_count bigint NOT NULL,
    size_bytes numeric NOT NULL,
    PRIMARY KEY (day, storage_tier, status)
) WITH (fillfactor = 50);

-- Where the bytes of an artifact count: few names, whatever tiers others call theirs. Null where none are left.
CREATE FUNCTION registry.tier_counted(storage_tier text, disposition text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE
        WHEN disposition = 'purged' THEN NULL
        WHEN storage_tier IN ('Hot', 'Cool', 'Cold', 'Archive') THEN storage_tier
        WHEN storage_tier IS NULL THEN '' ELSE 'other' END;
END
$$;

-- Null on both sides in notes of before this migration, which counts them itself.
ALTER TABLE registry.artifact_changes ADD COLUMN changed_at timestamptz, ADD COLUMN old_tier text, ADD COLUMN new_tier text;

CREATE OR REPLACE FUNCTION registry.note_new_artifact() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifact_changes
        (asset_id, new_status, new_size_bytes, new_row_count, new_assets, content_hash, changed_at, new_tier)
    SELECT asset_id, status, size_bytes, row_count, CASE WHEN revision = 1 THEN 1 ELSE 0 END, content_hash,
        created_at, registry.tier_counted(storage_tier, disposition) FROM made;
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
            registry.tier_counted(NEW.storage_tier, NEW.disposition));
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER artifacts_note_changed
    AFTER UPDATE ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.status, OLD.size_bytes, OLD.row_count, OLD.content_hash, OLD.storage_tier, OLD.disposition)
        IS DISTINCT FROM (NEW.status, NEW.size_bytes, NEW.row_count, NEW.content_hash, NEW.storage_tier, NEW.disposition))
    EXECUTE FUNCTION registry.note_changed_artifact();

-- What was registered before; the lock keeps others out until the migration is done. Named once a group, not once a row.
INSERT INTO registry.byte_days
SELECT coalesce(counted.day, 'infinity'), counted.tier, counted.status,
    sum(counted.artifact_count), coalesce(sum(counted.size_bytes), 0)
FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS day, registry.tier_counted(storage_tier, disposition) AS tier, status,
          artifact_count, size_bytes
      FROM (SELECT storage_tier, disposition, status, count(*) AS artifact_count, sum(size_bytes) AS size_bytes
            FROM registry.artifacts GROUP BY storage_tier, disposition, status) AS named) AS counted
WHERE counted.tier IS NOT NULL
GROUP BY GROUPING SETS ((counted.day, counted.tier, counted.status), (counted.tier, counted.status));

-- As before, and what became of bytes is folded into its day. Never into one before the first, whose sums nobody knows.
CREATE OR REPLACE FUNCTION registry.fold_changes(most integer, at_least integer) RETURNS bigint
LANGUAGE plpgsql
SET lock_timeout = '10s' SET plan_cache_mode = force_custom_plan AS $$
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

-- What lay where at the end of each of some days, as far as history goes back; what has nothing is left out.
CREATE FUNCTION registry.read_byte_days(first_day date, last_day date)
RETURNS TABLE (day date, storage_tier text, status text, artifact_count bigint, size_bytes numeric)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT * FROM registry.byte_days AS change WHERE change.day >= first_day
    ), changes AS (
        SELECT least(known.day, last_day + 1) AS day, known.storage_tier, known.status,
            sum(known.artifact_count) AS artifact_count, sum(known.size_bytes) AS size_bytes
        FROM known WHERE known.day < 'infinity' GROUP BY 1, 2, 3
    ), summed AS (
        SELECT series::date AS day, total.storage_tier, total.status,
            total.artifact_count - coalesce(sum(change.artifact_count) OVER later, 0)::bigint AS artifact_count,
            total.size_bytes - coalesce(sum(change.size_bytes) OVER later, 0) AS size_bytes
        FROM generate_series(first_day, last_day + 1, interval '1 day') AS series
        CROSS JOIN (SELECT * FROM known WHERE known.day = 'infinity') AS total
        LEFT JOIN changes AS change ON change.day = series::date
            AND change.storage_tier = total.storage_tier AND change.status = total.status
        WINDOW later AS (PARTITION BY total.storage_tier, total.status ORDER BY series DESC
                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
    SELECT * FROM summed
    WHERE summed.artifact_count > 0 AND summed.day <= last_day
      AND summed.day >= (SELECT min(begun.day) FROM registry.byte_days AS begun)
    ORDER BY summed.day, summed.storage_tier, summed.status;
END
$$;

-- An artifact as it was just before an instant, as far as its row still tells; what it does not tell is as it is now.
-- Where archived bytes lay before they lie where they do, it does not: in the warmest tier that is cold.
CREATE FUNCTION registry.as_of(artifact registry.artifacts, at timestamptz) RETURNS registry.artifacts
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF coalesce(artifact.superseded_at, artifact.updated_at) >= at THEN
        artifact.superseded_by := NULL;
    END IF;
    IF artifact.archived_at >= at THEN
        artifact.archived_at := NULL;
    END IF;
    IF artifact.deleted_at >= at THEN
        artifact.deleted_at := NULL;
    END IF;
    IF artifact.purged_at >= at THEN
        artifact.purged_at := NULL;
    END IF;
    IF artifact.rehydrated_at >= at THEN
        artifact.rehydrated_at := NULL;
    END IF;
    IF artifact.missing_since >= at THEN
        artifact.missing_since := NULL;
    END IF;
    IF artifact.tier_since >= at THEN
        artifact.storage_tier := CASE WHEN artifact.archived_at IS NOT NULL THEN 'Cool' END;
    END IF;
    artifact.disposition := CASE
        WHEN artifact.purged_at IS NOT NULL THEN 'purged'
        WHEN artifact.deleted_at IS NOT NULL THEN 'deleted'
        WHEN artifact.archived_at IS NOT NULL THEN 'archived' ELSE 'live' END;
    artifact.status := CASE  -- as the column is made
        WHEN artifact.disposition IN ('deleted', 'purged') THEN 'deleted'
        WHEN artifact.disposition = 'archived' THEN 'archived'
        WHEN artifact.superseded_by IS NOT NULL THEN 'superseded'
        WHEN artifact.processing <> 'completed' THEN 'pending'
        ELSE 'active' END;
    RETURN artifact;
END
$$;

-- When, after an instant, the state of an artifact was next another one; null where it is as it is now.
CREATE FUNCTION registry.next_state(artifact registry.artifacts, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN interval '1 microsecond' + (
        SELECT min(event) FROM unnest(ARRAY[
            CASE WHEN artifact.superseded_by IS NOT NULL THEN coalesce(artifact.superseded_at, artifact.updated_at) END,
            artifact.archived_at, artifact.tier_since, artifact.rehydrated_at, artifact.deleted_at, artifact.purged_at
        ]) AS event WHERE event >= at);
END
$$;

CREATE INDEX holds_ever_of_artifacts ON registry.holds (artifact_id) WHERE artifact_id IS NOT NULL;
CREATE INDEX holds_ever_of_assets ON registry.holds (asset_id) WHERE asset_id IS NOT NULL;
CREATE INDEX holds_ever_by_end ON registry.holds (coalesce(least(until, released_at), 'infinity'));
CREATE INDEX holds_ever_by_selector ON registry.holds (coalesce(least(until, released_at), 'infinity')) WHERE selector IS NOT NULL;

-- Until when an artifact, as it was at an instant, was held then; null where it was not. See registry.hold_on.
CREATE FUNCTION registry.held_until(artifact registry.artifacts, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN greatest(
        (SELECT max(coalesce(least(hold.until, hold.released_at), 'infinity')) FROM registry.holds AS hold
         WHERE hold.artifact_id = artifact.artifact_id AND hold.placed_at < at
           AND coalesce(least(hold.until, hold.released_at), 'infinity') > at),
        (SELECT max(coalesce(least(hold.until, hold.released_at), 'infinity')) FROM registry.holds AS hold
         WHERE hold.asset_id = artifact.asset_id AND hold.placed_at < at
           AND coalesce(least(hold.until, hold.released_at), 'infinity') > at),
        (SELECT max(coalesce(least(hold.until, hold.released_at), 'infinity')) FROM registry.holds AS hold
         WHERE hold.selector IS NOT NULL AND hold.placed_at < at
           AND coalesce(least(hold.until, hold.released_at), 'infinity') > at
           AND registry.selects(hold.selector, artifact)));
END
$$;

-- Until when locked policies keep an artifact, as it was at an instant, by what they say now: see registry.retention_on.
CREATE FUNCTION registry.retained_until(artifact registry.artifacts, target text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT max(ended.kept_until) FROM registry.policies AS kept
        CROSS JOIN LATERAL (
            SELECT coalesce(registry.policy_clock(kept.policy::jsonb, artifact), artifact.deleted_at, 'infinity')
                + make_interval(secs => kept.age_seconds::double precision) AS kept_until OFFSET 0) AS ended
        WHERE kept.policy ->> 'locked' = 'true' AND ended.kept_until > at
          AND (target = 'purged' OR kept.policy ->> 'kind' <> 'purge')
          AND NOT (kept.policy ->> 'kind' = 'expire' AND artifact.expires_at IS NULL)
          AND registry.selects(coalesce(kept.policy::jsonb -> 'selector', '{}'), artifact));
END
$$;

-- Since when as many newer revisions of an artifact's asset as are kept were there, of those that were at an instant
-- or came later; null where there are fewer. See registry.revision_rank.
CREATE FUNCTION registry.outranked_at(artifact registry.artifacts, keep_last integer, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT newer.created_at FROM registry.artifacts AS newer
        WHERE newer.asset_id = artifact.asset_id AND newer.revision > artifact.revision
          AND newer.processing = 'completed' AND coalesce(newer.deleted_at >= at, true)
        ORDER BY newer.revision OFFSET keep_last - 1 LIMIT 1);
END
$$;

-- Whether another at the same location has the same bytes, as far as etags tell, and they were not purged at an instant.
-- See registry.deleted_twins.
CREATE FUNCTION registry.is_twin(artifact registry.artifacts, other registry.artifacts, at timestamptz) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN other.artifact_id <> artifact.artifact_id AND coalesce(other.purged_at >= at, true)
        AND coalesce(other.blob_etag = artifact.blob_etag, true)
        AND coalesce(other.blob_version_id = artifact.blob_version_id, true);
END
$$;

-- Whether anything was held at an instant: mostly nothing is, and then nobody need be asked about one by one.
CREATE FUNCTION registry.is_any_held(at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM registry.holds AS hold
        WHERE hold.placed_at < at AND coalesce(least(hold.until, hold.released_at), 'infinity') > at);
END
$$;

-- Who was deleted when, of those at a location: also what is purged by now. See artifacts_there of those that are not.
CREATE INDEX artifacts_once_there ON registry.artifacts (location_key, deleted_at, artifact_id)
    WHERE location_key IS NOT NULL AND deleted_at IS NOT NULL;

-- Until when others share the bytes of an artifact, of those that did at an instant: not deleted, or held although they
-- are. Null where none did. See registry.shares_bytes.
CREATE FUNCTION registry.shared_until(artifact registry.artifacts, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF artifact.location_key IS NULL THEN
        RETURN NULL;
    ELSIF EXISTS (
        SELECT FROM registry.artifacts AS other
        WHERE other.location_key = artifact.location_key AND other.disposition IN ('live', 'archived')
          AND other.artifact_id <> artifact.artifact_id AND other.created_at < at
          AND coalesce(other.blob_version_id = artifact.blob_version_id, true)
        ORDER BY other.artifact_id) THEN
        RETURN 'infinity';
    END IF;
    RETURN greatest(
        (SELECT other.deleted_at + interval '1 microsecond' FROM registry.artifacts AS other
         WHERE other.location_key = artifact.location_key AND other.deleted_at >= at
           AND other.artifact_id <> artifact.artifact_id AND other.created_at < at
           AND coalesce(other.blob_version_id = artifact.blob_version_id, true)
         ORDER BY other.deleted_at DESC LIMIT 1),
        (SELECT max(registry.held_until(registry.as_of(twin, at), at)) FROM registry.artifacts AS twin
         WHERE twin.location_key = artifact.location_key AND twin.deleted_at < at
           AND registry.is_twin(artifact, twin, at) AND registry.is_any_held(at)));
END
$$;

-- When a policy is the first time to act on an artifact, or would have been, had it run from one instant to another
-- and done nothing else; null where it is not. It judges as registry.policy_verdict does, but the artifact as it was
-- then; and where it refuses, it judges again when the reason may have ended.
CREATE FUNCTION registry.acts_at(
    policy jsonb, age interval, artifact registry.artifacts, since timestamptz, until timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    kind text := policy ->> 'kind';
    keep_last integer := policy -> 'keep_last';
    at timestamptz := greatest(since, artifact.created_at + interval '1 microsecond');
    known registry.artifacts;
    due_at timestamptz;
    again_at timestamptz;
BEGIN
    LOOP  -- ends: each time is later than the one before, and one of what is written of few rows
        EXIT WHEN at IS NULL OR at > until;
        known := registry.as_of(artifact, at);
        again_at := NULL;
        due_at := registry.policy_clock(policy, known) + age;
        IF known.disposition NOT IN ('live', 'archived') AND kind <> 'purge'
            OR kind = 'purge' AND known.disposition = 'purged' THEN
            EXIT;  -- nothing comes back
        ELSIF kind = 'purge' AND known.disposition <> 'deleted'
            OR kind = 'archive' AND (
                known.processing <> 'completed' OR known.location_key IS NULL OR known.missing_since IS NOT NULL
                OR known.disposition = 'archived'
                   AND registry.tier_rank(known.storage_tier) >= registry.tier_rank(policy ->> 'target_tier'))
            OR due_at IS NULL
            OR NOT registry.selects(coalesce(policy -> 'selector', '{}'), known) THEN
            again_at := 'infinity';
        ELSIF due_at > at THEN
            again_at := due_at;
        ELSE
            again_at := registry.held_until(known, at);
            IF again_at IS NULL AND kind <> 'archive' THEN
                again_at := registry.retained_until(known, CASE WHEN kind = 'purge' THEN 'purged' ELSE 'deleted' END, at);
            END IF;
            IF again_at IS NULL AND (
                kind IN ('archive', 'delete') AND known.status = 'active'
                    AND policy #>> '{selector,status}' IS DISTINCT FROM 'active'
                OR kind IN ('delete', 'expire') AND known.is_final) THEN
                again_at := 'infinity';
            END IF;
            IF again_at IS NULL AND keep_last > 0 THEN
                again_at := coalesce(registry.outranked_at(known, keep_last, at) + interval '1 microsecond', 'infinity');
                again_at := CASE WHEN again_at > at THEN again_at END;
            END IF;
            IF again_at IS NULL AND kind IN ('archive', 'purge') THEN
                again_at := registry.shared_until(known, at);
            END IF;
            IF again_at IS NULL THEN
                RETURN at;
            END IF;
        END IF;
        at := least(again_at, registry.next_state(artifact, at));
    END LOOP;
    RETURN NULL;
END
$$;

-- As it is, but what was superseded before that was noted was so when its successor came.
CREATE FUNCTION registry.replayed(artifact registry.artifacts) RETURNS registry.artifacts
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF artifact.superseded_by IS NOT NULL AND artifact.superseded_at IS NULL THEN
        artifact.superseded_at := (
            SELECT successor.created_at FROM registry.artifacts AS successor
            WHERE successor.artifact_id = artifact.superseded_by);
    END IF;
    RETURN artifact;
END
$$;

-- Whether a policy that acts on an artifact at an instant had left another alone by then. At one instant, the ids tell.
CREATE FUNCTION registry.outlasts(
    policy jsonb, age interval, other registry.artifacts, since timestamptz, at timestamptz, artifact_id uuid
) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (registry.acts_at(policy, age, registry.replayed(other), since, at), other.artifact_id) > (at, artifact_id), true);
END
$$;

-- The bytes that a policy sets free, or moves to a colder tier, by acting on an artifact at an instant; of a blob that
-- several share, the last of them counts. Of very many, the 100 newest are looked at. See registry.bytes_concerned.
CREATE FUNCTION registry.bytes_at(
    policy jsonb, age interval, artifact registry.artifacts, since timestamptz, at timestamptz
) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_shared boolean := false;
BEGIN
    IF artifact.location_key IS NULL OR policy ->> 'kind' = 'archive' THEN
        NULL;
    ELSIF policy ->> 'kind' = 'purge' THEN
        is_shared := EXISTS (
            SELECT FROM (
                SELECT twin FROM registry.artifacts AS twin
                WHERE twin.location_key = artifact.location_key AND twin.deleted_at < at
                  AND (twin.deleted_at, twin.artifact_id) > (artifact.deleted_at, artifact.artifact_id)
                  AND registry.is_twin(artifact, twin, at)
                ORDER BY twin.deleted_at DESC LIMIT 100) AS later
            WHERE registry.outlasts(policy, age, later.twin, since, at, artifact.artifact_id));
    ELSE
        is_shared := EXISTS (
            SELECT FROM (
                (SELECT other AS there FROM registry.artifacts AS other
                 WHERE other.location_key = artifact.location_key AND other.disposition IN ('live', 'archived')
                   AND other.artifact_id <> artifact.artifact_id AND other.created_at < at
                   AND coalesce(other.blob_version_id = artifact.blob_version_id, true)
                 ORDER BY other.artifact_id DESC LIMIT 100)
                UNION ALL
                (SELECT other AS there FROM registry.artifacts AS other
                 WHERE other.location_key = artifact.location_key AND other.deleted_at >= at
                   AND other.artifact_id <> artifact.artifact_id AND other.created_at < at
                   AND coalesce(other.blob_version_id = artifact.blob_version_id, true)
                 ORDER BY other.deleted_at DESC LIMIT 100)) AS sharing
            WHERE registry.outlasts(policy, age, sharing.there, since, at, artifact.artifact_id)
               OR registry.is_twin(artifact, sharing.there, at)
                  AND registry.held_until(registry.as_of(sharing.there, at), at) IS NOT NULL
        ) OR registry.is_any_held(at) AND EXISTS (
            SELECT FROM registry.artifacts AS twin
            WHERE twin.location_key = artifact.location_key AND twin.deleted_at < at
              AND registry.is_twin(artifact, twin, at)
              AND registry.held_until(registry.as_of(twin, at), at) IS NOT NULL);
    END IF;
    RETURN CASE WHEN is_shared THEN 0 ELSE coalesce(artifact.size_bytes, 0) END;
END
$$;

-- A page of all artifacts: when a policy would have acted on each, had it run from one instant to another, if at all.
CREATE FUNCTION registry.simulated_page(
    policy jsonb, age interval, since timestamptz, until timestamptz, after uuid, most integer
) RETURNS TABLE (artifact_id uuid, acted_at timestamptz, bytes bigint)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN QUERY
    SELECT looked.artifact_id, judged.at,
        CASE WHEN judged.at IS NOT NULL THEN registry.bytes_at(policy, age, looked.known, since, judged.at) END
    FROM (SELECT known.artifact_id, registry.replayed(known) AS known FROM registry.artifacts AS known
          WHERE known.artifact_id > after ORDER BY known.artifact_id LIMIT most) AS looked
    CROSS JOIN LATERAL (SELECT registry.acts_at(policy, age, looked.known, since, until) AS at OFFSET 0) AS judged;
END
$$;

-- A page of what a stream has due until an instant to come: when a policy acts on each, if at all. See policy_page.
CREATE FUNCTION registry.forecast_page(
    policy jsonb, age interval, stream text, since timestamptz, until timestamptz,
    after_at timestamptz, after_id uuid, most integer
) RETURNS TABLE (artifact_id uuid, clock_at timestamptz, acted_at timestamptz, bytes bigint)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT due.artifact_id, due.clock_at, judged.at,
        CASE WHEN judged.at IS NOT NULL THEN registry.bytes_at(policy, age, known, since, judged.at) END
    FROM registry.due_entries(stream, until - age, after_at, after_id, most) AS due
    CROSS JOIN LATERAL (SELECT * FROM registry.artifacts AS found WHERE found.artifact_id = due.artifact_id OFFSET 0) AS known
    CROSS JOIN LATERAL (
        SELECT CASE WHEN registry.policy_clock(policy, known) = due.clock_at
            THEN registry.acts_at(policy, age, known, since, until) END AS at OFFSET 0) AS judged
    ORDER BY due.clock_at, due.artifact_id;
END
$$;

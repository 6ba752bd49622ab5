-- How much is registered and which contents several assets hold, without counting anew: every change
-- is noted beside it, and the notes are folded into totals.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Written inside every registration, hence without any index, and never updated: writers share no row.
-- What is not null on the old side is taken off its status, what is on the new side is added to its own.
CREATE TABLE registry.artifact_changes (
    asset_id uuid NOT NULL,
    old_status text,
    new_status text NOT NULL,
    old_size_bytes bigint,
    new_size_bytes bigint,
    old_row_count bigint,
    new_row_count bigint,
    new_assets smallint NOT NULL,
    content_hash text  -- where it may have become another number of assets that hold it
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Sums of bigints outgrow bigint. The client type '' stands for all clients: no client has it. Only the
-- sum of `asset_count` over the statuses means something: an asset is counted where its first artifact
-- was registered, which then moves on.
CREATE TABLE registry.artifact_totals (
    client_type text,
    status text,
    artifact_count bigint NOT NULL,
    asset_count bigint NOT NULL,
    size_bytes numeric NOT NULL,
    row_count numeric NOT NULL,
    PRIMARY KEY (client_type, status)
) WITH (fillfactor = 50);

-- Exactly the contents that artifacts of at least two assets hold, deleted ones left out, as of the last fold.
CREATE TABLE registry.duplicated_content (content_hash text PRIMARY KEY);

-- Deleted artifacts behind the others: those that hold a content are found without passing deleted ones.
CREATE INDEX artifacts_same_content ON registry.artifacts
    (content_hash, (CASE WHEN status = 'deleted' THEN 1 ELSE 0 END), asset_id, artifact_id)
    WHERE content_hash IS NOT NULL;
DROP INDEX registry.artifacts_content_hash;

CREATE FUNCTION registry.note_new_artifact() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifact_changes (asset_id, new_status, new_size_bytes, new_row_count, new_assets, content_hash)
    VALUES (NEW.asset_id, NEW.status, NEW.size_bytes, NEW.row_count,
            CASE WHEN NEW.revision = 1 THEN 1 ELSE 0 END, NEW.content_hash);
    RETURN NULL;
END
$$;
CREATE TRIGGER artifacts_note_new
    AFTER INSERT ON registry.artifacts FOR EACH ROW EXECUTE FUNCTION registry.note_new_artifact();

CREATE FUNCTION registry.note_changed_artifact() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.artifact_changes
    VALUES (NEW.asset_id, OLD.status, NEW.status, OLD.size_bytes, NEW.size_bytes, OLD.row_count, NEW.row_count, 0,
            CASE WHEN NEW.status = 'deleted' OR OLD.content_hash IS DISTINCT FROM NEW.content_hash THEN NEW.content_hash END);
    RETURN NULL;
END
$$;
CREATE TRIGGER artifacts_note_changed
    AFTER UPDATE ON registry.artifacts FOR EACH ROW
    WHEN ((OLD.status, OLD.size_bytes, OLD.row_count, OLD.content_hash)
        IS DISTINCT FROM (NEW.status, NEW.size_bytes, NEW.row_count, NEW.content_hash))
    EXECUTE FUNCTION registry.note_changed_artifact();

-- What was registered before; the triggers' locks keep others out until the migration is done.
INSERT INTO registry.artifact_totals
SELECT coalesce(asset.client_type, ''), artifact.status, count(*), count(*) FILTER (WHERE artifact.revision = 1),
    coalesce(sum(artifact.size_bytes), 0), coalesce(sum(artifact.row_count), 0)
FROM registry.artifacts AS artifact JOIN registry.assets AS asset USING (asset_id)
GROUP BY GROUPING SETS ((asset.client_type, artifact.status), (artifact.status));
INSERT INTO registry.duplicated_content
SELECT content_hash FROM registry.artifacts WHERE content_hash IS NOT NULL AND status <> 'deleted'
GROUP BY content_hash HAVING count(DISTINCT asset_id) > 1;

-- The first and the last of the assets that hold a content are two: two probes of an index.
CREATE FUNCTION registry.is_duplicated(wanted text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan  -- that of who folds would plan anew for each content
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN (SELECT asset_id FROM registry.artifacts
            WHERE content_hash = wanted AND (CASE WHEN status = 'deleted' THEN 1 ELSE 0 END) = 0
            ORDER BY asset_id, artifact_id LIMIT 1)
        <> (SELECT asset_id FROM registry.artifacts
            WHERE content_hash = wanted AND (CASE WHEN status = 'deleted' THEN 1 ELSE 0 END) = 0
            ORDER BY asset_id DESC, artifact_id DESC LIMIT 1);
END
$$;

-- A page of the artifacts that hold a content, deleted ones left out, by asset. The planner would sort all
-- of them wherever it takes them for few.
CREATE FUNCTION registry.holding(wanted text, after_asset uuid, after_artifact uuid, most integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN ARRAY(SELECT artifact_id FROM registry.artifacts
                 WHERE content_hash = wanted AND (CASE WHEN status = 'deleted' THEN 1 ELSE 0 END) = 0
                   AND (asset_id, artifact_id) > (after_asset, after_artifact)
                 ORDER BY asset_id, artifact_id LIMIT most);
END
$$;

-- Fold some of the notes, if there are at least so many; answers with their number. All of it commits or
-- nothing does. Who folds is alone, and looks only after it is: what another folded is gone by then.
CREATE FUNCTION registry.fold_changes(most integer, at_least integer) RETURNS bigint
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

-- Figures of one client, or of all (null), by status: the totals and what is not folded yet, at one instant.
CREATE FUNCTION registry.read_statistics(wanted_client text)
RETURNS TABLE (status text, artifact_count bigint, asset_count bigint, size_bytes numeric, row_count numeric)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT figure.status, sum(figure.artifact_count)::bigint, sum(figure.asset_count)::bigint,
        coalesce(sum(figure.size_bytes), 0), coalesce(sum(figure.row_count), 0)
    FROM (
        SELECT total.status, total.artifact_count, total.asset_count, total.size_bytes, total.row_count
        FROM registry.artifact_totals AS total
        WHERE total.client_type = coalesce(wanted_client, '') AND wanted_client IS DISTINCT FROM ''
        UNION ALL
        SELECT delta.* FROM registry.artifact_changes AS change
        CROSS JOIN LATERAL (VALUES
            (change.old_status, -1, 0, -change.old_size_bytes, -change.old_row_count),
            (change.new_status, 1, change.new_assets, change.new_size_bytes, change.new_row_count)
        ) AS delta (status, artifact_count, asset_count, size_bytes, row_count)
        WHERE delta.status IS NOT NULL AND (wanted_client IS NULL OR EXISTS (
            SELECT FROM registry.assets AS asset
            WHERE asset.asset_id = change.asset_id AND asset.client_type = wanted_client))
    ) AS figure
    GROUP BY figure.status;
END
$$;

CREATE TYPE registry.duplicate_group AS (
    content_hash text, size_bytes bigint, artifact_count bigint, asset_count bigint, clients jsonb,
    copies bigint, duplicate_bytes numeric, is_capped boolean
);

-- All that holds a content, up to 1,000 artifacts. A place is a version of a blob, else a location that no
-- later registration says to hold other bytes (of very many there, 100 are looked at, those of the newest
-- asset first), else an address, else the artifact with its inline content.
CREATE FUNCTION registry.describe_duplicates(wanted text) RETURNS registry.duplicate_group
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    most CONSTANT integer := 1000;
    described registry.duplicate_group;
BEGIN
    WITH found AS MATERIALIZED (
        SELECT * FROM registry.artifacts
        WHERE content_hash = wanted AND (CASE WHEN status = 'deleted' THEN 1 ELSE 0 END) = 0
        ORDER BY asset_id, artifact_id LIMIT most + 1
    ), counted AS MATERIALIZED (
        SELECT member.*, asset.client_type
        FROM (SELECT * FROM found LIMIT most) AS member JOIN registry.assets AS asset USING (asset_id)
    ), places AS (
        SELECT DISTINCT CASE
            WHEN member.blob_version_id IS NOT NULL AND member.location_key IS NOT NULL
                THEN 'version ' || member.location_key || ' ' || member.blob_version_id
            WHEN member.location_key IS NOT NULL THEN 'location ' || member.location_key
            WHEN member.uri IS NOT NULL THEN 'uri ' || md5(member.uri)
            ELSE 'inline ' || member.artifact_id END AS place
        FROM counted AS member
        WHERE member.processing = 'completed'
          AND num_nonnulls(member.location_key, member.uri, member.data) > 0
          AND (member.location_key IS NULL OR member.blob_version_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM (
                SELECT * FROM registry.artifacts AS there WHERE there.location_key = member.location_key
                ORDER BY there.asset_id DESC, there.observation DESC LIMIT 100
            ) AS other
            WHERE other.processing = 'completed' AND other.content_hash IS DISTINCT FROM wanted
              AND CASE WHEN num_nulls(other.observation, member.observation) = 0
                    THEN other.observation > member.observation
                    ELSE (other.created_at, other.artifact_id) > (member.created_at, member.artifact_id) END))
    )
    SELECT wanted, max(member.size_bytes), count(*), count(DISTINCT member.asset_id),
        (SELECT jsonb_object_agg(client.client_type, client.count)
         FROM (SELECT client_type, count(*) FROM counted GROUP BY client_type) AS client),
        (SELECT count(*) FROM places), 0, (SELECT count(*) FROM found) > most
    INTO described FROM counted AS member;
    described.duplicate_bytes := greatest(described.copies - 1, 0) * coalesce(described.size_bytes, 0)::numeric;
    RETURN described;
END
$$;

-- Groups behind a hash, in the order of their hashes, until so many are wanted, or 1,000 groups or 20,000
-- artifacts were looked at. Those that are not wanted are told as well: behind the last one the list goes
-- on, where it does.
CREATE FUNCTION registry.list_duplicates(after text, wanted_client text, across_clients boolean, most integer)
RETURNS TABLE (duplicates registry.duplicate_group, is_wanted boolean, goes_on boolean)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    looked_at CONSTANT integer := 1000;
    hashes text[] := ARRAY(SELECT known.content_hash FROM registry.duplicated_content AS known
                           WHERE known.content_hash > after ORDER BY known.content_hash LIMIT looked_at + 1);
    artifacts_left bigint := 20000;
    wanted_left integer := most;
BEGIN
    FOR place IN 1 .. least(cardinality(hashes), looked_at) LOOP
        duplicates := registry.describe_duplicates(hashes[place]);
        is_wanted := duplicates.asset_count >= 2
            AND (wanted_client IS NULL OR duplicates.clients ? wanted_client)
            AND (NOT across_clients OR duplicates.clients - (SELECT min(name) FROM jsonb_object_keys(duplicates.clients) AS name) <> '{}');
        goes_on := place < cardinality(hashes);
        RETURN NEXT;
        artifacts_left := artifacts_left - duplicates.artifact_count;
        wanted_left := wanted_left - is_wanted::integer;
        EXIT WHEN wanted_left = 0 OR artifacts_left <= 0;
    END LOOP;
END
$$;

-- The audit trail: what the outbox holds is numbered in the order of commits, chained, and moved to a table of a storage
-- account. What stays here is a digest of each event, to compare that table with.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- `action` says more closely what was done, where the operation does not; an attempt that failed says why.
ALTER TABLE registry.outbox
    ADD COLUMN action text,
    ADD COLUMN success boolean NOT NULL DEFAULT true,
    ADD COLUMN error text;

CREATE OR REPLACE FUNCTION registry.broken_rule(event registry.outbox) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN char_length(event.operation) NOT BETWEEN 1 AND 100 THEN 'operation_length'
        WHEN char_length(event.action) NOT BETWEEN 1 AND 100 THEN 'action_length'
        WHEN char_length(event.actor) NOT BETWEEN 1 AND 255 THEN 'actor_length'
        WHEN char_length(event.request_id) NOT BETWEEN 1 AND 255 THEN 'request_id_length'
        WHEN char_length(event.error) NOT BETWEEN 1 AND 2000 THEN 'error_length'
        WHEN event.success <> (event.error IS NULL) THEN 'error_when'
        WHEN jsonb_typeof(event.details) <> 'object' THEN 'details_object'
    END;
END
$$;

-- Transactions that wrote events, in the order in which they committed. Positions are handed out while a transaction is
-- under way: another that began later may commit sooner.
CREATE SEQUENCE registry.commit_numbers;
CREATE TABLE registry.commits (
    number bigint PRIMARY KEY,
    transaction_id xid8 NOT NULL
);
CREATE INDEX outbox_by_transaction ON registry.outbox (transaction_id, position);

-- Deferred to the commit itself, once a transaction.
CREATE FUNCTION registry.number_commit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('registry.numbered_commit', true) IS DISTINCT FROM NEW.transaction_id::text THEN
        INSERT INTO registry.commits VALUES (nextval('registry.commit_numbers'), NEW.transaction_id);
        PERFORM set_config('registry.numbered_commit', NEW.transaction_id::text, true);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER outbox_number_commit AFTER INSERT ON registry.outbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registry.number_commit();

INSERT INTO registry.commits
SELECT nextval('registry.commit_numbers'), earlier.transaction_id
FROM (SELECT event.transaction_id FROM registry.outbox AS event
      GROUP BY event.transaction_id ORDER BY min(event.position)) AS earlier;

-- A digest of every event, kept as long as the event. Each event names the hash of the one before it in its shard.
CREATE TABLE registry.trail (
    number bigint PRIMARY KEY,
    event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    shard smallint NOT NULL,
    artifact_id uuid,
    hash bytea NOT NULL CONSTRAINT trail_hash_length CHECK (octet_length(hash) = 32)
);

-- Events that have their number and wait to be written into the table, as they will be written.
CREATE TABLE registry.trail_waiting (
    number bigint PRIMARY KEY REFERENCES registry.trail,
    event text NOT NULL
);

-- Where the trail ends: one row, which whoever numbers events locks.
CREATE TABLE registry.trail_end (
    is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT trail_end_only CHECK (is_only),
    number bigint NOT NULL DEFAULT 0,
    recorded_at timestamptz,
    -- Who writes into the table says until when it is to be left alone.
    busy_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO registry.trail_end DEFAULT VALUES;

CREATE TABLE registry.trail_shards (
    shard smallint PRIMARY KEY,
    number bigint NOT NULL,
    hash bytea NOT NULL CONSTRAINT trail_shards_hash_length CHECK (octet_length(hash) = 32)
);

-- Days in UTC on which events were recorded. What happened may be older: earliest and latest say when it happened.
CREATE TABLE registry.trail_days (
    day date PRIMARY KEY,
    first_number bigint NOT NULL,
    last_number bigint NOT NULL,
    earliest timestamptz NOT NULL,
    latest timestamptz NOT NULL,
    -- The signed root of the day, as it is kept outside the table.
    seal text,
    sealed_at timestamptz,
    CONSTRAINT trail_days_order CHECK (first_number <= last_number AND earliest <= latest),
    CONSTRAINT trail_days_seal_whole CHECK ((seal IS NULL) = (sealed_at IS NULL))
);
CREATE INDEX trail_days_unsealed ON registry.trail_days (day) WHERE seal IS NULL;
CREATE INDEX trail_days_sealed ON registry.trail_days (day) WHERE seal IS NOT NULL;

-- Months whose events are exported, and dropped later.
CREATE TABLE registry.trail_months (
    month date PRIMARY KEY,
    exported_to text NOT NULL,
    exported_at timestamptz NOT NULL,
    events bigint NOT NULL,
    sha256 text NOT NULL,
    -- Since then nobody reads it. Then go its table, and its digests: days and their seals stay.
    dropped_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT trail_months_order CHECK (removed_at IS NULL OR dropped_at IS NOT NULL)
);

-- The next events that have no number yet, in the order of commits and, within one, of their positions: so many, and
-- where their details are large, so few that these come to no more bytes, but for the last one's.
CREATE FUNCTION registry.next_events(most integer, most_bytes bigint)
RETURNS TABLE (
    commit_number bigint, "position" bigint, event_id uuid, occurred_at timestamptz, operation text, action text, actor text,
    request_id text, asset_id uuid, artifact_id uuid, run_id uuid, success boolean, error text, details text
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN QUERY
    SELECT summed.number, summed.position, summed.event_id, summed.occurred_at, summed.operation, summed.action, summed.actor,
        summed.request_id, summed.asset_id, summed.artifact_id, summed.run_id, summed.success, summed.error, summed.told
    FROM (
        SELECT each.*, coalesce(sum(octet_length(each.told)) OVER earlier, 0) AS bytes_before
        FROM (
            SELECT done.number, event.*, event.details::text AS told
            FROM registry.commits AS done
            CROSS JOIN LATERAL (
                SELECT * FROM registry.outbox AS written
                WHERE written.transaction_id = done.transaction_id ORDER BY written.position LIMIT most) AS event
            ORDER BY done.number, event.position LIMIT most) AS each
        WINDOW earlier AS (ORDER BY each.number, each.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS summed
    WHERE summed.bytes_before <= most_bytes
    ORDER BY summed.number, summed.position;
END
$$;

-- Keep what was made of registry.next_events, whose caller holds registry.trail_end. events: [{number, position,
-- commit_number, event_id, recorded_at, occurred_at, shard, artifact_id, hash (hex), event (text)}], in order.
-- However many wait: what it looks at, it finds by index. A hash of the whole outbox looks cheaper to the planner.
CREATE FUNCTION registry.number_events(events jsonb) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    numbered record;
BEGIN
    INSERT INTO registry.trail (number, event_id, recorded_at, shard, artifact_id, hash)
    SELECT each.number, each.event_id, each.recorded_at, each.shard, each.artifact_id, decode(each.hash, 'hex')
    FROM jsonb_to_recordset(events)
        AS each (number bigint, event_id uuid, recorded_at timestamptz, shard smallint, artifact_id uuid, hash text)
    ORDER BY each.number;
    INSERT INTO registry.trail_waiting (number, event)
    SELECT each.number, each.event FROM jsonb_to_recordset(events) AS each (number bigint, event text) ORDER BY each.number;
    DELETE FROM registry.outbox AS moved USING jsonb_to_recordset(events) AS each ("position" bigint)
    WHERE moved.position = each.position;
    DELETE FROM registry.commits AS done
    WHERE done.number <= (SELECT max(each.commit_number) FROM jsonb_to_recordset(events) AS each (commit_number bigint))
      AND NOT EXISTS (SELECT FROM registry.outbox AS rest WHERE rest.transaction_id = done.transaction_id);
    INSERT INTO registry.trail_shards AS known (shard, number, hash)
    SELECT DISTINCT ON (each.shard) each.shard, each.number, decode(each.hash, 'hex')
    FROM jsonb_to_recordset(events) AS each (number bigint, shard smallint, hash text)
    ORDER BY each.shard, each.number DESC
    ON CONFLICT (shard) DO UPDATE SET number = excluded.number, hash = excluded.hash;
    INSERT INTO registry.trail_days AS known (day, first_number, last_number, earliest, latest)
    SELECT (each.recorded_at AT TIME ZONE 'UTC')::date, min(each.number), max(each.number), min(each.occurred_at),
        max(each.occurred_at)
    FROM jsonb_to_recordset(events) AS each (number bigint, recorded_at timestamptz, occurred_at timestamptz)
    GROUP BY 1
    ON CONFLICT (day) DO UPDATE SET last_number = excluded.last_number,
        earliest = least(known.earliest, excluded.earliest), latest = greatest(known.latest, excluded.latest);
    SELECT each.number, each.recorded_at INTO numbered
    FROM jsonb_to_recordset(events) AS each (number bigint, recorded_at timestamptz)
    ORDER BY each.number DESC LIMIT 1;
    UPDATE registry.trail_end SET number = numbered.number, recorded_at = numbered.recorded_at;
END
$$;

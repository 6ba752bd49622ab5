-- Policies, and what they find due.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE registry.policies (
    name text COLLATE "C" PRIMARY KEY
        CONSTRAINT policies_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    -- As it was written, so that a file which is exported is the one that was applied.
    policy json NOT NULL
        CONSTRAINT policies_policy_object CHECK (json_typeof(policy) = 'object')
        CONSTRAINT policies_policy_name CHECK (coalesce(policy ->> 'name', '') = name),
    -- Of `age`, whose text is of ISO 8601 and means other instants to PostgreSQL than to us.
    age_seconds numeric NOT NULL CONSTRAINT policies_age_not_negative CHECK (age_seconds >= 0)
);
CREATE TABLE registry.policy_set (
    is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT policy_set_only CHECK (is_only),
    version bigint NOT NULL CONSTRAINT policy_set_version_not_negative CHECK (version >= 0)
);
INSERT INTO registry.policy_set (version) VALUES (0);

ALTER TABLE registry.artifacts
    -- When a successor took over. Null for those of before this migration, which count from their last change.
    ADD COLUMN superseded_at timestamptz,
    -- Since when the bytes lie in their tier; null where that is where they were registered.
    ADD COLUMN tier_since timestamptz,
    -- The tier to which archived bytes are being brought back; null where they are not.
    ADD COLUMN rehydrating_to text,
    -- When bringing them back was last asked for: from then they wait anew.
    ADD COLUMN rehydrated_at timestamptz;

CREATE FUNCTION registry.note_tier() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.tier_since := NEW.updated_at;
    RETURN NEW;
END
$$;
CREATE TRIGGER artifacts_note_tier
    BEFORE UPDATE OF storage_tier ON registry.artifacts FOR EACH ROW
    WHEN (NEW.storage_tier IS DISTINCT FROM OLD.storage_tier)
    EXECUTE FUNCTION registry.note_tier();

CREATE FUNCTION registry.note_superseded() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.superseded_at := NEW.updated_at;
    RETURN NEW;
END
$$;
CREATE TRIGGER artifacts_note_superseded
    BEFORE UPDATE OF superseded_by ON registry.artifacts FOR EACH ROW
    WHEN (NEW.superseded_by IS NOT NULL AND OLD.superseded_by IS NULL)
    EXECUTE FUNCTION registry.note_superseded();

-- As before; but what joins the chain as superseded already is so from now on, not since it was begun.
CREATE OR REPLACE FUNCTION registry.join_chain(asset registry.assets, artifact registry.artifacts, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    later registry.artifacts;
    before uuid;
BEGIN
    SELECT * INTO later FROM registry.artifacts AS other
    WHERE other.asset_id = asset.asset_id AND other.revision > artifact.revision AND other.processing = 'completed'
    ORDER BY other.revision LIMIT 1;
    before := CASE WHEN later.artifact_id IS NULL THEN asset.current_artifact_id ELSE later.supersedes END;
    UPDATE registry.artifacts SET superseded_by = artifact.artifact_id, updated_at = at WHERE artifact_id = before;
    UPDATE registry.artifacts SET supersedes = artifact.artifact_id, updated_at = at WHERE artifact_id = later.artifact_id;
    UPDATE registry.artifacts SET supersedes = before, superseded_by = later.artifact_id, updated_at = at
    WHERE artifact_id = artifact.artifact_id;
    IF later.artifact_id IS NULL THEN
        UPDATE registry.assets SET current_artifact_id = artifact.artifact_id WHERE asset_id = asset.asset_id;
    END IF;
END
$$;

-- How cold a tier is: 0 is warm, or a tier of another name.
CREATE FUNCTION registry.tier_rank(tier text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE tier WHEN 'Cool' THEN 1 WHEN 'Cold' THEN 2 WHEN 'Archive' THEN 3 ELSE 0 END;
END
$$;

-- Who else has the bytes at a location: those that are not deleted, and those that are, by the state that they had. A blob
-- that was overwritten in place has as many artifacts as revisions.
CREATE INDEX artifacts_there ON registry.artifacts (location_key, artifact_id)
    WHERE location_key IS NOT NULL AND disposition IN ('live', 'archived');
CREATE INDEX artifacts_deleted_there ON registry.artifacts (location_key, blob_etag, artifact_id)
    WHERE location_key IS NOT NULL AND disposition = 'deleted';
CREATE INDEX artifacts_due_superseded ON registry.artifacts (coalesce(superseded_at, updated_at), artifact_id)
    WHERE status = 'superseded';
CREATE INDEX artifacts_due_archived
    ON registry.artifacts (registry.tier_rank(storage_tier), greatest(archived_at, rehydrated_at), artifact_id)
    WHERE disposition = 'archived';
CREATE INDEX artifacts_due_deleted ON registry.artifacts (deleted_at, artifact_id) WHERE disposition = 'deleted';
CREATE INDEX artifacts_due_expiring ON registry.artifacts (expires_at, artifact_id)
    WHERE expires_at IS NOT NULL AND disposition IN ('live', 'archived');

-- The next entries of a stream whose clock is at or before the cutoff, in the order of the clock. Whether a policy acts
-- on them is another question: those it does not act on are walked past, and keep nothing waiting behind them.
CREATE FUNCTION registry.due_entries(
    stream text, cutoff timestamptz, after_at timestamptz, after_id uuid, most integer
) RETURNS TABLE (clock_at timestamptz, artifact_id uuid)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    rank integer := nullif(substring(stream from '^archived ([0-3])$'), '')::integer;
BEGIN
    IF stream = 'created' THEN
        RETURN QUERY SELECT due.created_at, due.artifact_id FROM registry.artifacts AS due
        WHERE due.created_at <= cutoff AND (due.created_at, due.artifact_id) > (after_at, after_id)
        ORDER BY due.created_at, due.artifact_id LIMIT most;
    ELSIF stream = 'superseded' THEN
        RETURN QUERY SELECT coalesce(due.superseded_at, due.updated_at), due.artifact_id FROM registry.artifacts AS due
        WHERE due.status = 'superseded' AND coalesce(due.superseded_at, due.updated_at) <= cutoff
          AND (coalesce(due.superseded_at, due.updated_at), due.artifact_id) > (after_at, after_id)
        ORDER BY coalesce(due.superseded_at, due.updated_at), due.artifact_id LIMIT most;
    ELSIF rank IS NOT NULL THEN
        RETURN QUERY SELECT greatest(due.archived_at, due.rehydrated_at), due.artifact_id FROM registry.artifacts AS due
        WHERE due.disposition = 'archived' AND registry.tier_rank(due.storage_tier) = rank
          AND greatest(due.archived_at, due.rehydrated_at) <= cutoff
          AND (greatest(due.archived_at, due.rehydrated_at), due.artifact_id) > (after_at, after_id)
        ORDER BY greatest(due.archived_at, due.rehydrated_at), due.artifact_id LIMIT most;
    ELSIF stream = 'deleted' THEN
        RETURN QUERY SELECT due.deleted_at, due.artifact_id FROM registry.artifacts AS due
        WHERE due.disposition = 'deleted'
          AND due.deleted_at <= cutoff AND (due.deleted_at, due.artifact_id) > (after_at, after_id)
        ORDER BY due.deleted_at, due.artifact_id LIMIT most;
    ELSIF stream = 'expiring' THEN
        RETURN QUERY SELECT due.expires_at, due.artifact_id FROM registry.artifacts AS due
        WHERE due.expires_at IS NOT NULL AND due.disposition IN ('live', 'archived')
          AND due.expires_at <= cutoff AND (due.expires_at, due.artifact_id) > (after_at, after_id)
        ORDER BY due.expires_at, due.artifact_id LIMIT most;
    ELSE
        RAISE EXCEPTION 'there is no such stream' USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- Which place a revision has among those of its asset that are there, the newest being 1; counted up to a limit.
CREATE FUNCTION registry.revision_rank(artifact registry.artifacts, most integer) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN 1 + (SELECT count(*) FROM (
        SELECT FROM registry.artifacts AS newer
        WHERE newer.asset_id = artifact.asset_id AND newer.revision > artifact.revision
          AND newer.processing = 'completed' AND newer.disposition IN ('live', 'archived')
        ORDER BY newer.revision  -- by the one index that knows where the newer ones begin
        LIMIT most) AS counted);
END
$$;

-- Deleted artifacts that have the bytes of this one: of what was overwritten in place, etags tell which are meant. Where
-- an etag is not known, they may be the same.
CREATE FUNCTION registry.deleted_twins(artifact registry.artifacts) RETURNS SETOF registry.artifacts
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY SELECT * FROM registry.artifacts AS other
    WHERE other.location_key = artifact.location_key AND other.blob_etag = artifact.blob_etag
      AND other.disposition = 'deleted' AND other.artifact_id <> artifact.artifact_id
      AND coalesce(other.blob_version_id = artifact.blob_version_id, true);
    RETURN QUERY SELECT * FROM registry.artifacts AS other
    WHERE other.location_key = artifact.location_key AND other.blob_etag IS NULL
      AND other.disposition = 'deleted' AND other.artifact_id <> artifact.artifact_id
      AND coalesce(other.blob_version_id = artifact.blob_version_id, true);
    IF artifact.blob_etag IS NULL THEN
        RETURN QUERY SELECT * FROM registry.artifacts AS other
        WHERE other.location_key = artifact.location_key AND other.blob_etag IS NOT NULL
          AND other.disposition = 'deleted' AND other.artifact_id <> artifact.artifact_id
          AND coalesce(other.blob_version_id = artifact.blob_version_id, true);
    END IF;
END
$$;

-- Whether another artifact that is not deleted, or is held though it is, points at the same bytes.
CREATE FUNCTION registry.shares_bytes(artifact registry.artifacts, at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN artifact.location_key IS NOT NULL AND (EXISTS (
        SELECT FROM registry.artifacts AS other
        WHERE other.location_key = artifact.location_key AND other.disposition IN ('live', 'archived')
          AND other.artifact_id <> artifact.artifact_id
          AND coalesce(other.blob_version_id = artifact.blob_version_id, true))
      OR EXISTS (
        SELECT FROM registry.deleted_twins(artifact) AS twin WHERE (registry.hold_on(twin, at)).hold_id IS NOT NULL));
END
$$;

-- Whether another deleted artifact has the same bytes, and was deleted after an instant: the last to be purged removes
-- them.
CREATE FUNCTION registry.has_deleted_twin(artifact registry.artifacts, since timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN artifact.location_key IS NOT NULL AND EXISTS (
        SELECT FROM registry.deleted_twins(artifact) AS twin
        WHERE (twin.deleted_at, twin.artifact_id) > (since, artifact.artifact_id));
END
$$;

-- As before, for less: what says nothing selects everything, and assets are only looked up where they are asked about.
CREATE OR REPLACE FUNCTION registry.selects(selector jsonb, artifact registry.artifacts) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF selector = '{}' THEN
        RETURN true;
    ELSIF NOT (
        coalesce(artifact.storage_account = selector ->> 'storage_account', NOT selector ? 'storage_account')
        AND coalesce(artifact.container = selector ->> 'container', NOT selector ? 'container')
        AND coalesce(starts_with(artifact.blob_path, selector ->> 'path_prefix'), NOT selector ? 'path_prefix')
        AND coalesce(artifact.artifact_type = selector ->> 'artifact_type', NOT selector ? 'artifact_type')
        AND coalesce(artifact.stage = selector ->> 'stage', NOT selector ? 'stage')
        AND coalesce(artifact.processing = selector ->> 'processing', NOT selector ? 'processing')
        AND coalesce(artifact.status = selector ->> 'status', NOT selector ? 'status')
        AND coalesce(artifact.size_bytes >= (selector ->> 'min_size_bytes')::bigint, NOT selector ? 'min_size_bytes')
        AND coalesce(artifact.size_bytes <= (selector ->> 'max_size_bytes')::bigint, NOT selector ? 'max_size_bytes')
        AND coalesce(artifact.metadata @> (selector -> 'metadata'), true)) THEN
        RETURN false;
    ELSIF NOT selector ?| '{client_type,client_refs}' THEN
        RETURN true;
    END IF;
    RETURN EXISTS (
        SELECT FROM registry.assets AS asset
        WHERE asset.asset_id = artifact.asset_id
          AND coalesce(asset.client_type = selector ->> 'client_type', true)
          AND coalesce(asset.client_refs @> (selector -> 'client_refs'), true));
END
$$;

-- As before, in one statement.
CREATE OR REPLACE FUNCTION registry.hold_on(artifact registry.artifacts, at timestamptz) RETURNS registry.holds
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    found registry.holds;
BEGIN
    SELECT * INTO found FROM (
        (SELECT * FROM registry.holds AS hold
         WHERE hold.artifact_id = artifact.artifact_id AND hold.released_at IS NULL AND coalesce(hold.until > at, true)
         ORDER BY hold.hold_id LIMIT 1)
        UNION ALL
        (SELECT * FROM registry.holds AS hold
         WHERE hold.asset_id = artifact.asset_id AND hold.released_at IS NULL AND coalesce(hold.until > at, true)
         ORDER BY hold.hold_id LIMIT 1)
        UNION ALL
        (SELECT * FROM registry.holds AS hold
         WHERE hold.selector IS NOT NULL AND hold.released_at IS NULL AND coalesce(hold.until > at, true)
           AND registry.selects(hold.selector, artifact)
         ORDER BY hold.hold_id LIMIT 1)
    ) AS holds LIMIT 1;
    RETURN found;
END
$$;

-- From when a policy counts an artifact's age; null where that has not begun. What is archived has waited since it was,
-- or since it was last brought back.
CREATE FUNCTION registry.policy_clock(policy jsonb, artifact registry.artifacts) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN policy ->> 'kind' = 'purge' THEN artifact.deleted_at
        WHEN policy ->> 'kind' = 'expire' THEN artifact.expires_at
        WHEN artifact.archived_at IS NOT NULL THEN greatest(artifact.archived_at, artifact.rehydrated_at)
        WHEN policy ->> 'clock' = 'created' THEN artifact.created_at
        WHEN policy ->> 'clock' = 'superseded' AND artifact.superseded_by IS NOT NULL
            THEN coalesce(artifact.superseded_at, artifact.updated_at) END;
END
$$;

-- The locked policy because of which nobody may move an artifact to 'deleted' or 'purged' yet; null if there is none.
-- What a policy selects is kept until it is due by that policy, also where its clock has not begun.
CREATE FUNCTION registry.retention_on(artifact registry.artifacts, target text, at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN (
        SELECT kept.name FROM registry.policies AS kept
        WHERE kept.policy ->> 'locked' = 'true'
          AND (target = 'purged' OR kept.policy ->> 'kind' <> 'purge')
          AND NOT (kept.policy ->> 'kind' = 'expire' AND artifact.expires_at IS NULL)
          AND coalesce(registry.policy_clock(kept.policy::jsonb, artifact), artifact.deleted_at, 'infinity')
              > at - make_interval(secs => kept.age_seconds)
          AND registry.selects(coalesce(kept.policy::jsonb -> 'selector', '{}'), artifact)
        ORDER BY kept.name LIMIT 1);
END
$$;
CREATE INDEX policies_locked ON registry.policies (name) WHERE policy ->> 'locked' = 'true';

CREATE FUNCTION registry.require_unretained(artifact registry.artifacts, target text, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    by_policy text := registry.retention_on(artifact, target, at);
BEGIN
    IF by_policy IS NOT NULL THEN
        RAISE EXCEPTION 'the artifact is retained' USING
            ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'artifacts_retained', DETAIL = by_policy;
    END IF;
END
$$;

-- What a policy makes of an artifact: null where it is none of its business, or not due; '' where it is to be acted on,
-- else why it is not. The cutoff is the policy's age before now. Previewing, claiming and acting ask the same.
CREATE FUNCTION registry.policy_verdict(
    policy jsonb, artifact registry.artifacts, cutoff timestamptz, at timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    kind text := policy ->> 'kind';
    keep_last integer := policy -> 'keep_last';
    retained_by text;
BEGIN
    IF artifact.disposition NOT IN ('live', 'archived') AND kind <> 'purge'
        OR kind = 'purge' AND artifact.disposition <> 'deleted'
        OR kind = 'archive' AND (
            artifact.processing <> 'completed' OR artifact.location_key IS NULL
            OR artifact.disposition = 'archived'
               AND registry.tier_rank(artifact.storage_tier) >= registry.tier_rank(policy ->> 'target_tier'))
        OR coalesce(registry.policy_clock(policy, artifact) > cutoff, true)
        OR NOT registry.selects(coalesce(policy -> 'selector', '{}'), artifact) THEN
        RETURN NULL;
    END IF;
    IF (registry.hold_on(artifact, at)).hold_id IS NOT NULL THEN
        RETURN 'hold';
    ELSIF kind <> 'archive' THEN
        retained_by := registry.retention_on(artifact, CASE WHEN kind = 'purge' THEN 'purged' ELSE 'deleted' END, at);
    END IF;
    RETURN CASE
        WHEN retained_by IS NOT NULL THEN 'retention ' || retained_by
        WHEN kind IN ('archive', 'delete') AND artifact.status = 'active'
            AND policy #>> '{selector,status}' IS DISTINCT FROM 'active' THEN 'current'
        WHEN kind IN ('delete', 'expire') AND artifact.is_final THEN 'final deliverable'
        WHEN keep_last > 0 AND registry.revision_rank(artifact, keep_last) <= keep_last THEN 'kept revision'
        WHEN kind = 'archive' AND artifact.rehydrating_to IS NOT NULL THEN 'rehydrating'
        WHEN kind = 'archive' AND artifact.missing_since IS NOT NULL THEN 'bytes missing'
        WHEN kind IN ('archive', 'purge') AND registry.shares_bytes(artifact, at) THEN 'shared location'
        ELSE '' END;
END
$$;

-- The bytes that a policy's action on an artifact sets free, or moves to a colder tier; of a blob that several share,
-- only the last of them counts.
CREATE FUNCTION registry.bytes_concerned(policy jsonb, artifact registry.artifacts, at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN policy ->> 'kind' = 'purge' AND registry.has_deleted_twin(artifact, artifact.deleted_at) THEN 0
        WHEN policy ->> 'kind' IN ('delete', 'expire') AND registry.shares_bytes(artifact, at) THEN 0
        ELSE coalesce(artifact.size_bytes, 0) END;
END
$$;

-- A page of what a stream says is due, with the policy's verdict on each. What is archived was created, too: it counts
-- where the policy's clock finds it, and nowhere else. Ranks, counted up to 101, and bytes are for who tells of them.
CREATE FUNCTION registry.policy_page(
    policy jsonb, stream text, cutoff timestamptz, at timestamptz, after_at timestamptz, after_id uuid, most integer,
    is_told boolean
) RETURNS TABLE (
    artifact_id uuid, clock_at timestamptz, verdict text, revision_rank integer, bytes bigint,
    storage_tier text, tier_since timestamptz
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT due.artifact_id, due.clock_at, judged.verdict,
        CASE WHEN is_told AND judged.verdict = '' THEN registry.revision_rank(known, 100) END,
        CASE WHEN is_told AND judged.verdict = '' THEN registry.bytes_concerned(policy, known, at) END,
        known.storage_tier, coalesce(known.tier_since, known.created_at)
    FROM registry.due_entries(stream, cutoff, after_at, after_id, most) AS due
    CROSS JOIN LATERAL (SELECT * FROM registry.artifacts AS found WHERE found.artifact_id = due.artifact_id OFFSET 0) AS known
    CROSS JOIN LATERAL (
        SELECT CASE WHEN registry.policy_clock(policy, known) = due.clock_at
                    THEN registry.policy_verdict(policy, known, cutoff, at) END AS verdict OFFSET 0) AS judged
    ORDER BY due.clock_at, due.artifact_id;
END
$$;

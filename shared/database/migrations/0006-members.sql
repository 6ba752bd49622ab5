-- Finding by some of the references or metadata, looking at a bounded number of rows however many match.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Which assets and artifacts hold a member in their client references or metadata. Unlike a GIN index,
-- which collects all that match before it gives the first, this is read in order and left at any point.
-- A member that was replaced stays: what is found here is always looked at again.
CREATE TABLE registry.members (
    member bigint,
    holder_id uuid,
    PRIMARY KEY (member, holder_id)
);

-- 1 and 1.0 are one number, yet jsonb keeps the trailing zero.
CREATE FUNCTION registry.member(scope text, name text, value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hashtextextended(scope || chr(10) || name || chr(10) || CASE jsonb_typeof(value)
    WHEN 'number' THEN trim_scale((value #>> '{}')::numeric)::text ELSE value::text END, 0);

CREATE FUNCTION registry.keep_members(scope text, document jsonb, holder uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.members
    SELECT registry.member(scope, given.key, given.value), holder FROM jsonb_each(document) AS given
    WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
    ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION registry.keep_references() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.keep_members('refs ' || NEW.client_type, NEW.client_refs, NEW.asset_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER assets_keep_references
    AFTER INSERT ON registry.assets FOR EACH ROW EXECUTE FUNCTION registry.keep_references();

CREATE FUNCTION registry.keep_metadata() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.keep_members('metadata', NEW.metadata, NEW.artifact_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER artifacts_keep_metadata
    AFTER INSERT ON registry.artifacts FOR EACH ROW
    WHEN (NEW.metadata <> '{}') EXECUTE FUNCTION registry.keep_metadata();
CREATE TRIGGER artifacts_keep_changed_metadata
    AFTER UPDATE OF metadata ON registry.artifacts FOR EACH ROW
    WHEN (NEW.metadata <> OLD.metadata) EXECUTE FUNCTION registry.keep_metadata();

INSERT INTO registry.members
SELECT registry.member('refs ' || asset.client_type, given.key, given.value), asset.asset_id
FROM registry.assets AS asset CROSS JOIN jsonb_each(asset.client_refs) AS given
WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
ON CONFLICT DO NOTHING;
INSERT INTO registry.members
SELECT registry.member('metadata', given.key, given.value), artifact.artifact_id
FROM registry.artifacts AS artifact CROSS JOIN jsonb_each(artifact.metadata) AS given
WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
ON CONFLICT DO NOTHING;
DROP INDEX registry.assets_client_refs;

-- So many rows are looked at from each source; one more says that there are too many.
CREATE FUNCTION registry.shortlist_limit() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 10000;

CREATE FUNCTION registry.is_short(shortlist uuid[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(cardinality(shortlist) <= registry.shortlist_limit(), false);

-- The functions that collect take an index in its order or nothing: a plan that reads all matching
-- rows first has no bound, and the planner chooses it wherever it underestimates their number.

-- The holders of the rarest of a document's members, oldest first; null where it has no plain member.
CREATE FUNCTION registry.holders(scope text, document jsonb) RETURNS uuid[]
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    wanted bigint;
    found uuid[];
    fewest uuid[];
BEGIN
    FOR wanted IN
        SELECT registry.member(scope, given.key, given.value) FROM jsonb_each(document) AS given
        WHERE jsonb_typeof(given.value) NOT IN ('object', 'array')
        ORDER BY length(given.value::text) DESC, given.key LIMIT 16  -- long values tend to be rare
    LOOP
        found := ARRAY(SELECT held.holder_id FROM registry.members AS held WHERE held.member = wanted
                       ORDER BY held.holder_id LIMIT registry.shortlist_limit() + 1);
        IF fewest IS NULL OR cardinality(found) < cardinality(fewest) THEN
            fewest := found;
        END IF;
        EXIT WHEN cardinality(fewest) <= 100;
    END LOOP;
    RETURN fewest;
END
$$;

-- Assets whose references contain these, oldest first, at most so many; and the oldest of all that
-- match and have a current artifact. Where `is_complete` is false there may be more, all of them younger.
CREATE FUNCTION registry.assets_containing(
    wanted_type text, wanted_refs jsonb, most integer,
    OUT asset_ids uuid[], OUT oldest_with_current uuid, OUT is_complete boolean
) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    slice CONSTANT integer := 1000;
    shortlist uuid[] := registry.holders('refs ' || wanted_type, wanted_refs);
BEGIN
    IF shortlist IS NULL THEN
        shortlist := ARRAY(SELECT asset.asset_id FROM registry.assets AS asset WHERE asset.client_type = wanted_type
                           ORDER BY asset.client_type, asset.asset_id LIMIT registry.shortlist_limit() + 1);
    END IF;
    is_complete := registry.is_short(shortlist);
    asset_ids := '{}';
    FOR begun IN 1 .. cardinality(shortlist) BY slice LOOP
        SELECT asset_ids || array_agg(asset.asset_id ORDER BY asset.asset_id),
            coalesce(oldest_with_current, (array_agg(asset.asset_id ORDER BY asset.asset_id)
                FILTER (WHERE asset.current_artifact_id IS NOT NULL))[1])
        INTO asset_ids, oldest_with_current
        FROM unnest(shortlist[begun : begun + slice - 1]) AS held (asset_id)
        CROSS JOIN LATERAL (  -- OFFSET 0: each is looked up by its id, whatever the planner thinks of the rest
            SELECT * FROM registry.assets AS known WHERE known.asset_id = held.asset_id OFFSET 0) AS asset
        WHERE asset.client_type = wanted_type AND asset.client_refs @> wanted_refs;
        EXIT WHEN cardinality(asset_ids) >= most AND oldest_with_current IS NOT NULL;
    END LOOP;
    asset_ids := asset_ids[:most];
END
$$;

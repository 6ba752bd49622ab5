-- What a build may go on with is put together in one pass: each artifact put in front of the others copied all of them.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE OR REPLACE FUNCTION registry.usable_up_to(
    run registry.runs, highest smallint, at timestamptz, OUT told text, OUT is_cut boolean
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    most CONSTANT integer := 1000;
    most_bytes CONSTANT integer := 8000000;
    artifact record;
    each text;
    bytes integer := 0;
    latest_first text[] := '{}';
BEGIN
    is_cut := false;
    FOR artifact IN
        SELECT * FROM registry.usable_build_artifacts(run.run_id, at) AS usable
        WHERE usable.state_code <= highest
        ORDER BY usable.state_code DESC, usable.created_at DESC, usable.id DESC
    LOOP
        each := row_to_json(artifact)::text;
        bytes := bytes + octet_length(each);
        is_cut := cardinality(latest_first) >= most OR latest_first <> '{}' AND bytes > most_bytes;
        EXIT WHEN is_cut;
        latest_first := latest_first || each;
    END LOOP;
    SELECT '[' || coalesce(string_agg(one, ',' ORDER BY place DESC), '') || ']' INTO told
    FROM unnest(latest_first) WITH ORDINALITY AS listed (one, place);
END
$$;

-- Projects and variables of builds, and how builds are doing all together, without counting anew.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Keep the catalogue of a project, new or known. request: {name, states, origin, at}. Changing nothing leaves no trace.
CREATE FUNCTION registry.put_project(request jsonb) RETURNS registry.projects
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    before registry.projects;
    after registry.projects;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('registry.projects'), 0);
    SELECT * INTO before FROM registry.projects AS known WHERE known.name = request ->> 'name';
    IF before.states = request -> 'states' THEN
        RETURN before;
    END IF;
    INSERT INTO registry.projects AS known (name, states, created_at, updated_at)
    VALUES (request ->> 'name', request -> 'states', at, at)
    ON CONFLICT (name) DO UPDATE SET states = excluded.states, updated_at = excluded.updated_at
    RETURNING * INTO after;
    PERFORM registry.record_run_event(
        CASE WHEN before.name IS NULL THEN 'project_created' ELSE 'project_changed' END, NULL, NULL, request,
        jsonb_build_object('project', after.name, 'after', after.states)
        || CASE WHEN before.name IS NULL THEN '{}' ELSE jsonb_build_object('before', before.states) END);
    RETURN after;
END
$$;

-- Forget a project's catalogue; its builds stay. request: {name, origin, at}. False where there is none.
CREATE FUNCTION registry.remove_project(request jsonb) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    removed registry.projects;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('registry.projects'), 0);
    DELETE FROM registry.projects AS known WHERE known.name = request ->> 'name' RETURNING * INTO removed;
    IF FOUND THEN
        PERFORM registry.record_run_event('project_removed', NULL, NULL, request,
            jsonb_build_object('project', removed.name, 'before', removed.states));
    END IF;
    RETURN FOUND;
END
$$;

-- What must be known before a variable is set, the build held until the transaction ends: whether there is the build,
-- whether the variable is sensitive already, and how many others there are, of how many bytes.
CREATE FUNCTION registry.hold_variable(
    wanted_run uuid, wanted text, OUT is_known boolean, OUT is_sensitive boolean, OUT others bigint, OUT other_bytes bigint
) LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    run registry.runs := registry.lock_build(wanted_run);
BEGIN
    is_known := run.run_id IS NOT NULL;
    SELECT coalesce(bool_or(variable.sensitive) FILTER (WHERE variable.name = wanted), false),
        count(*) FILTER (WHERE variable.name <> wanted),
        coalesce(sum(octet_length(variable.value)) FILTER (WHERE variable.name <> wanted), 0)
    INTO is_sensitive, others, other_bytes
    FROM registry.run_variables AS variable WHERE variable.run_id = wanted_run;
END
$$;

-- What events tell of a variable: never its value.
CREATE FUNCTION registry.told_variable(variable registry.run_variables) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('is_set', variable.is_set, 'sensitive', variable.sensitive,
        'required_for_resume', variable.required_for_resume);
END
$$;

-- Set a variable of a build that is held. request: {build_id, variable (columns of registry.run_variables), origin, at}.
CREATE FUNCTION registry.put_variable(request jsonb) RETURNS registry.run_variables
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := request ->> 'at';
    run registry.runs;
    new registry.run_variables := jsonb_populate_record(NULL::registry.run_variables, request -> 'variable');
    before registry.run_variables;
    after registry.run_variables;
BEGIN
    run.run_id := request ->> 'build_id';
    SELECT * INTO before FROM registry.run_variables AS known WHERE known.run_id = run.run_id AND known.name = new.name;
    INSERT INTO registry.run_variables AS known
        (run_id, name, value, is_set, sensitive, required_for_resume, created_at, updated_at)
    VALUES (run.run_id, new.name, new.value, new.is_set, new.sensitive, new.required_for_resume, at, at)
    ON CONFLICT (run_id, name) DO UPDATE
    SET value = excluded.value, is_set = excluded.is_set, sensitive = excluded.sensitive,
        required_for_resume = excluded.required_for_resume, updated_at = excluded.updated_at
    RETURNING * INTO after;
    PERFORM registry.record_run_event('build_variable_set', run, NULL, request,
        jsonb_build_object('variable', after.name, 'after', registry.told_variable(after))
        || CASE WHEN before.name IS NULL THEN '{}' ELSE jsonb_build_object('before', registry.told_variable(before)) END);
    RETURN after;
END
$$;

-- Forget a variable. request: {build_id, name, origin, at}. `outcome` is 'removed', 'unknown build' or 'unknown'.
CREATE FUNCTION registry.remove_variable(request jsonb, OUT outcome text)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    run registry.runs := registry.lock_build((request ->> 'build_id')::uuid);
    removed registry.run_variables;
BEGIN
    DELETE FROM registry.run_variables AS known
    WHERE known.run_id = run.run_id AND known.name = request ->> 'name'
    RETURNING * INTO removed;
    outcome := CASE WHEN run.run_id IS NULL THEN 'unknown build' WHEN removed.name IS NULL THEN 'unknown' ELSE 'removed' END;
    IF outcome = 'removed' THEN
        PERFORM registry.record_run_event('build_variable_removed', run, NULL, request,
            jsonb_build_object('variable', removed.name, 'before', registry.told_variable(removed)));
    END IF;
END
$$;

-- What becomes of builds, noted by whoever changes them: hence without any index, and never updated. What a build was
-- is taken off (-1), what it is is added (1).
CREATE TABLE registry.run_changes (
    runs smallint NOT NULL,
    status text NOT NULL,
    project text,
    platform text,
    state_code smallint,
    is_resumed boolean NOT NULL,
    saved_seconds double precision NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Sums, of each project and (scope '') of all builds: by value of a figure, where '' stands for none. No project and
-- no platform is called ''.
CREATE TABLE registry.run_totals (
    scope text,
    figure text,
    value text,
    amount numeric NOT NULL,
    PRIMARY KEY (scope, figure, value)
) WITH (fillfactor = 80);
CREATE INDEX run_totals_largest ON registry.run_totals (scope, figure, amount DESC, value);

CREATE FUNCTION registry.note_run(runs smallint, run registry.runs) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.run_changes
    VALUES (runs, run.status, run.project, run.platform, run.state_code, run.resumes > 0, run.saved_seconds);
END
$$;

CREATE FUNCTION registry.note_new_run() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.note_run(1::smallint, NEW);
    RETURN NULL;
END
$$;
CREATE TRIGGER runs_note_new
    AFTER INSERT ON registry.runs FOR EACH ROW WHEN (NEW.run_type = 'build') EXECUTE FUNCTION registry.note_new_run();

CREATE FUNCTION registry.note_changed_run() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.note_run((-1)::smallint, OLD), registry.note_run(1::smallint, NEW);
    RETURN NULL;
END
$$;
CREATE TRIGGER runs_note_changed
    AFTER UPDATE ON registry.runs FOR EACH ROW
    WHEN (NEW.run_type = 'build'
        AND (OLD.status, OLD.project, OLD.platform, OLD.state_code, OLD.resumes > 0, OLD.saved_seconds)
            IS DISTINCT FROM (NEW.status, NEW.project, NEW.platform, NEW.state_code, NEW.resumes > 0, NEW.saved_seconds))
    EXECUTE FUNCTION registry.note_changed_run();

-- What was made before; the triggers' locks keep others out until the migration is done.
DO $$ BEGIN PERFORM registry.note_run(1::smallint, run) FROM registry.runs AS run WHERE run.run_type = 'build'; END $$;

-- What a change adds to which sums.
CREATE FUNCTION registry.noted_figures(change registry.run_changes)
RETURNS TABLE (scope text, figure text, value text, amount numeric)
LANGUAGE sql IMMUTABLE AS $$
    SELECT scopes.scope, noted.figure, noted.value, noted.amount
    FROM (VALUES (''), (change.project)) AS scopes (scope)
    CROSS JOIN (VALUES
        ('status', change.status, change.runs),
        ('project', coalesce(change.project, ''), change.runs),
        ('platform', coalesce(change.platform, ''), change.runs),
        ('state', coalesce(change.state_code::text, ''), change.runs),
        ('resumed', '', change.runs * change.is_resumed::integer),
        ('saved_seconds', '', change.runs * change.saved_seconds::numeric)
    ) AS noted (figure, value, amount)
    WHERE scopes.scope IS NOT NULL
$$;

-- Fold some of the notes into the sums, if there are at least so many; answers with their number: see
-- registry.fold_changes, whose promises these are.
CREATE FUNCTION registry.fold_run_changes(most integer, at_least integer) RETURNS bigint
LANGUAGE plpgsql
SET lock_timeout = '10s' SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    folded bigint;
BEGIN
    PERFORM FROM registry.run_changes OFFSET at_least - 1 LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('registry.fold_runs'), 0);
    WITH taken AS MATERIALIZED (
        DELETE FROM registry.run_changes
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM registry.run_changes LIMIT most))
        RETURNING run_changes AS change
    ), added AS (
        INSERT INTO registry.run_totals AS total
        SELECT noted.scope, noted.figure, noted.value, sum(noted.amount)
        FROM taken CROSS JOIN LATERAL registry.noted_figures(taken.change) AS noted
        GROUP BY noted.scope, noted.figure, noted.value HAVING sum(noted.amount) <> 0
        ON CONFLICT (scope, figure, value) DO UPDATE SET amount = total.amount + excluded.amount
    )
    SELECT count(*) INTO folded FROM taken;
    RETURN folded;
END
$$;

-- Figures of one project, or of all builds (null): of each figure the `most` largest values, the sums and what is not
-- folded yet at one instant. Behind as many sums as there are notes, no note makes any other value one of the largest.
CREATE FUNCTION registry.read_run_totals(wanted text, most integer)
RETURNS TABLE (figure text, value text, amount numeric)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    asked CONSTANT text := coalesce(wanted, '');
BEGIN
    IF wanted = '' THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH noted AS MATERIALIZED (
        SELECT of.figure, of.value, sum(of.amount) AS amount
        FROM registry.run_changes AS change CROSS JOIN LATERAL registry.noted_figures(change) AS of
        WHERE of.scope = asked
        GROUP BY of.figure, of.value
    ), candidates AS (
        SELECT noted.figure, noted.value FROM noted
        UNION
        SELECT figures.name, largest.value
        FROM unnest(ARRAY['status', 'project', 'platform', 'state', 'resumed', 'saved_seconds']) AS figures (name)
        CROSS JOIN LATERAL (
            SELECT total.value FROM registry.run_totals AS total
            WHERE total.scope = asked AND total.figure = figures.name
            ORDER BY total.amount DESC, total.value
            LIMIT most + (SELECT count(*) FROM noted WHERE noted.figure = figures.name)) AS largest
    ), ranked AS (
        SELECT candidates.figure, candidates.value, coalesce(noted.amount, 0) + coalesce((
            SELECT total.amount FROM registry.run_totals AS total
            WHERE total.scope = asked AND total.figure = candidates.figure AND total.value = candidates.value), 0) AS amount
        FROM candidates LEFT JOIN noted USING (figure, value)
    )
    SELECT told.figure, told.value, told.amount
    FROM (SELECT ranked.*, row_number() OVER (PARTITION BY ranked.figure ORDER BY ranked.amount DESC, ranked.value) AS place
          FROM ranked WHERE ranked.amount > 0) AS told
    WHERE told.place <= most
    ORDER BY told.figure, told.place;
END
$$;

-- How long completed attempts at each state took, the latest so many.
CREATE FUNCTION registry.state_durations(most integer)
RETURNS TABLE (state smallint, attempts bigint, percentiles double precision[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
BEGIN
    RETURN QUERY
    SELECT codes.code::smallint, count(*),
        percentile_cont(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY latest.seconds)
    FROM generate_series(0, 100) AS codes (code)
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM step.ended_at - step.started_at)::double precision AS seconds
        FROM registry.steps AS step
        WHERE step.state_code = codes.code AND step.status = 'completed'
        ORDER BY step.ended_at DESC LIMIT most) AS latest
    GROUP BY codes.code
    ORDER BY codes.code;
END
$$;

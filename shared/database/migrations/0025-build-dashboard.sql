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

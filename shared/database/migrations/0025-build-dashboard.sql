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

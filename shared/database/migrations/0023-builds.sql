-- Builds: runs that move through numbered states. Each attempt at a state is a step; what a build makes are
-- artifacts as any other.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- A project's catalogue: its states, by code, as shared.models.build_catalogues writes them.
CREATE TABLE registry.projects (
    name text PRIMARY KEY CONSTRAINT projects_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    states jsonb NOT NULL CONSTRAINT projects_states_list CHECK (jsonb_typeof(states) = 'array'),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE registry.runs (
    run_id uuid PRIMARY KEY,
    run_type text NOT NULL CONSTRAINT runs_type_length CHECK (char_length(run_type) BETWEEN 1 AND 50),
    -- What people know it by: a build's number.
    run_name text NOT NULL CONSTRAINT runs_name_length CHECK (char_length(run_name) BETWEEN 1 AND 255),
    project text CONSTRAINT runs_project_length CHECK (char_length(project) BETWEEN 1 AND 255),
    platform text CONSTRAINT runs_platform_length CHECK (char_length(platform) BETWEEN 1 AND 255),
    os_version text CONSTRAINT runs_os_version_length CHECK (char_length(os_version) BETWEEN 1 AND 255),
    image_type text CONSTRAINT runs_image_type_length CHECK (char_length(image_type) BETWEEN 1 AND 255),
    labels jsonb NOT NULL DEFAULT '{}' CONSTRAINT runs_labels_object CHECK (jsonb_typeof(labels) = 'object'),
    status text NOT NULL DEFAULT 'pending'
        CONSTRAINT runs_status_known CHECK (status IN ('pending', 'in_progress', 'completed', 'failed')),
    -- The last state that was completed; a resume sets it back.
    state_code smallint CONSTRAINT runs_state_code_range CHECK (state_code BETWEEN 0 AND 100),
    state_name text,
    steps integer NOT NULL DEFAULT 0 CONSTRAINT runs_steps_range CHECK (steps BETWEEN 0 AND 10000),
    artifacts integer NOT NULL DEFAULT 0 CONSTRAINT runs_artifacts_range CHECK (artifacts BETWEEN 0 AND 10000),
    resumes integer NOT NULL DEFAULT 0 CONSTRAINT runs_resumes_range CHECK (resumes BETWEEN 0 AND 10000),
    saved_seconds double precision NOT NULL DEFAULT 0,
    message text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT runs_name_unique UNIQUE (run_type, run_name),
    CONSTRAINT runs_ended_when CHECK ((status IN ('completed', 'failed')) = (ended_at IS NOT NULL)),
    CONSTRAINT runs_state_whole CHECK ((state_code IS NULL) = (state_name IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX runs_by_age ON registry.runs (run_type, run_id);
CREATE INDEX runs_by_project ON registry.runs (project, run_id) WHERE project IS NOT NULL;
CREATE INDEX runs_by_platform ON registry.runs (platform, run_id) WHERE platform IS NOT NULL;
CREATE INDEX runs_by_os_version ON registry.runs (os_version, run_id) WHERE os_version IS NOT NULL;
CREATE INDEX runs_by_image_type ON registry.runs (image_type, run_id) WHERE image_type IS NOT NULL;
CREATE INDEX runs_by_status ON registry.runs (status, run_id);

-- Attempts at states. `position` orders those of a run, `attempt` counts those at one state.
CREATE TABLE registry.steps (
    step_id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES registry.runs,
    position integer NOT NULL CONSTRAINT steps_position_positive CHECK (position >= 1),
    state_code smallint NOT NULL CONSTRAINT steps_state_code_range CHECK (state_code BETWEEN 0 AND 100),
    step_name text NOT NULL CONSTRAINT steps_name_length CHECK (char_length(step_name) BETWEEN 1 AND 255),
    attempt integer NOT NULL CONSTRAINT steps_attempt_positive CHECK (attempt >= 1),
    status text NOT NULL CONSTRAINT steps_status_known CHECK (status IN ('in_progress', 'completed', 'failed')),
    message text,
    artifact_id uuid,
    resume_id uuid,
    -- A resume went back behind it: it does not count as completed any more.
    left_behind_at timestamptz,
    -- A resume opened it, and nobody has begun it yet.
    is_awaited boolean NOT NULL DEFAULT false CONSTRAINT steps_awaited_open CHECK (NOT is_awaited OR status = 'in_progress'),
    created_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT steps_position_unique UNIQUE (run_id, position),
    CONSTRAINT steps_attempt_unique UNIQUE (run_id, state_code, attempt),
    CONSTRAINT steps_ended_when CHECK ((status = 'in_progress') = (ended_at IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX steps_one_open ON registry.steps (run_id) WHERE ended_at IS NULL;
CREATE INDEX steps_durations ON registry.steps (state_code, ended_at) INCLUDE (started_at) WHERE status = 'completed';

-- What the document tells of an artifact and the registry's own columns do not.
CREATE TABLE registry.build_artifacts (
    artifact_id uuid PRIMARY KEY REFERENCES registry.artifacts,
    run_id uuid NOT NULL REFERENCES registry.runs,
    state_code smallint NOT NULL CONSTRAINT build_artifacts_state_code_range CHECK (state_code BETWEEN 0 AND 100),
    storage_bucket text,
    storage_key text,
    checksum text,
    checksum_algorithm text CONSTRAINT build_artifacts_algorithm_known CHECK (checksum_algorithm IN ('sha256', 'sha512', 'md5')),
    found_corrupt_at timestamptz,
    -- The attempt that left it failed, or a resume went back behind its state: nothing to go on from.
    left_behind_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT build_artifacts_checksum_whole CHECK ((checksum IS NULL) = (checksum_algorithm IS NULL))
);
CREATE INDEX build_artifacts_by_state ON registry.build_artifacts (run_id, state_code, created_at, artifact_id);

CREATE TABLE registry.resumes (
    resume_id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES registry.runs,
    status text NOT NULL CONSTRAINT resumes_status_known
        CHECK (status IN ('pending', 'triggered', 'running', 'completed', 'failed')),
    from_state smallint,
    next_state smallint,
    step_id uuid REFERENCES registry.steps,
    reason text,
    message text,
    saved_seconds double precision NOT NULL,
    -- Whether the build has got on since, so that this was saved indeed.
    is_counted boolean NOT NULL DEFAULT false,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT resumes_ended_when CHECK ((status IN ('completed', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX resumes_by_run ON registry.resumes (run_id, resume_id);
CREATE UNIQUE INDEX resumes_one_under_way ON registry.resumes (run_id) WHERE ended_at IS NULL;

-- Of a sensitive variable, only that it is set is kept.
CREATE TABLE registry.run_variables (
    run_id uuid NOT NULL REFERENCES registry.runs,
    name text NOT NULL CONSTRAINT run_variables_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    value text,
    is_set boolean NOT NULL,
    sensitive boolean NOT NULL CONSTRAINT run_variables_secret_not_kept CHECK (NOT sensitive OR value IS NULL),
    required_for_resume boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, name),
    CONSTRAINT run_variables_value_set CHECK (value IS NULL OR is_set)
);

-- An attempt as it is told; what it tells of an artifact is the registered one's.
CREATE VIEW registry.state_attempts AS
    SELECT step.step_id AS id, step.run_id AS build_id, step.position, step.state_code AS state, step.step_name AS state_name,
        step.attempt, step.status, step.message, step.started_at AS start_time, step.ended_at AS end_time,
        extract(epoch FROM step.ended_at - step.started_at)::double precision AS duration_seconds,
        step.artifact_id, artifact.storage_backend AS artifact_storage_type, artifact.uri AS artifact_storage_path,
        artifact.size_bytes AS artifact_size_bytes, told.checksum AS artifact_checksum, artifact.metadata AS artifact_metadata,
        artifact.status AS artifact_status, step.resume_id, step.created_at
    FROM registry.steps AS step
    LEFT JOIN registry.artifacts AS artifact USING (artifact_id)
    LEFT JOIN registry.build_artifacts AS told USING (artifact_id);

-- A build as shared.models.builds writes it.
CREATE FUNCTION registry.told_build(run registry.runs) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN run.run_id IS NOT NULL THEN jsonb_build_object(
        'id', run.run_id, 'build_number', run.run_name, 'project', run.project, 'platform', run.platform,
        'os_version', run.os_version, 'image_type', run.image_type, 'labels', run.labels, 'status', run.status,
        'state', run.state_code, 'state_name', run.state_name, 'attempts', run.steps, 'resumes', run.resumes,
        'message', run.message, 'created_at', run.created_at, 'updated_at', run.updated_at,
        'start_time', run.started_at, 'end_time', run.ended_at,
        'duration_seconds', extract(epoch FROM run.ended_at - run.started_at)::double precision) END;
END
$$;

-- Builds that have a value in common, newest first: each column has its index.
CREATE FUNCTION registry.open_builds(index_on text, value text, before uuid, most integer) RETURNS refcursor
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    candidates refcursor;
BEGIN
    CASE index_on
        WHEN 'run_name' THEN OPEN candidates FOR
            SELECT * FROM registry.runs WHERE run_type = 'build' AND run_name = value AND run_id < before LIMIT most;
        WHEN 'project' THEN OPEN candidates FOR
            SELECT * FROM registry.runs WHERE project = value AND run_id < before ORDER BY run_id DESC LIMIT most;
        WHEN 'image_type' THEN OPEN candidates FOR
            SELECT * FROM registry.runs WHERE image_type = value AND run_id < before ORDER BY run_id DESC LIMIT most;
        WHEN 'os_version' THEN OPEN candidates FOR
            SELECT * FROM registry.runs WHERE os_version = value AND run_id < before ORDER BY run_id DESC LIMIT most;
        WHEN 'platform' THEN OPEN candidates FOR
            SELECT * FROM registry.runs WHERE platform = value AND run_id < before ORDER BY run_id DESC LIMIT most;
        WHEN 'status' THEN OPEN candidates FOR
            SELECT * FROM registry.runs WHERE status = value AND run_id < before ORDER BY run_id DESC LIMIT most;
        ELSE OPEN candidates FOR
            SELECT * FROM registry.runs WHERE run_type = 'build' AND run_id < before ORDER BY run_id DESC LIMIT most;
    END CASE;
    RETURN candidates;
END
$$;

-- Builds that satisfy every condition that is not null, newest first; the index of one condition leads, and of what it
-- leads to so many are looked at: where these were not enough, the last of them is told once more, without a build.
CREATE FUNCTION registry.list_builds(wanted jsonb, before uuid, most integer, looked_at integer)
RETURNS TABLE (run_id uuid, build jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    conditions CONSTANT jsonb := jsonb_strip_nulls(wanted);
    index_on CONSTANT text := (
        SELECT known.name FROM unnest(ARRAY['run_name', 'project', 'image_type', 'os_version', 'platform', 'status'])
            WITH ORDINALITY AS known (name, position)
        WHERE conditions ? known.name ORDER BY known.position LIMIT 1);
    candidates CONSTANT refcursor := registry.open_builds(index_on, conditions ->> index_on, before, looked_at);
    run registry.runs;
    looked integer := 0;
    told integer := 0;
BEGIN
    LOOP
        FETCH candidates INTO run;
        EXIT WHEN NOT FOUND OR told = most;
        looked := looked + 1;
        run_id := run.run_id;
        IF run.run_type = 'build' AND to_jsonb(run) @> conditions THEN
            build := registry.told_build(run);
            told := told + 1;
            RETURN NEXT;
        END IF;
    END LOOP;
    IF looked = looked_at AND told < most THEN
        build := NULL;
        RETURN NEXT;
    END IF;
END
$$;

-- A page of the attempts of a build before a position, newest first, of some megabytes at most: where these are full, the
-- last of them is told once more, without an attempt.
CREATE FUNCTION registry.list_states(wanted uuid, before integer, most integer)
RETURNS TABLE (place integer, attempt text)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    most_bytes CONSTANT integer := 8000000;
    told registry.state_attempts;
    bytes integer := 0;
BEGIN
    FOR told IN
        SELECT * FROM registry.state_attempts AS known
        WHERE known.build_id = wanted AND known.position < before ORDER BY known.position DESC LIMIT most
    LOOP
        place := told.position;
        attempt := row_to_json(told)::text;
        bytes := bytes + octet_length(attempt);
        RETURN NEXT;
        EXIT WHEN bytes > most_bytes;
    END LOOP;
    IF bytes > most_bytes THEN
        attempt := NULL;
        RETURN NEXT;
    END IF;
END
$$;

CREATE FUNCTION registry.record_run_event(
    operation text, run registry.runs, artifact_id uuid, request jsonb, details jsonb
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.outbox (occurred_at, operation, actor, request_id, artifact_id, run_id, details)
    VALUES ((request ->> 'at')::timestamptz, operation, request #>> '{origin,actor}', request #>> '{origin,request_id}',
            artifact_id, run.run_id, details);
END
$$;

-- What events tell of a run before and after.
CREATE FUNCTION registry.told_run(run registry.runs) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('status', run.status, 'state', run.state_code);
END
$$;

-- Make a build. request: {run (columns of registry.runs), origin, at}. `is_new` is false where its number is in use: then
-- `build` is the one that has it.
CREATE FUNCTION registry.create_build(request jsonb, OUT is_new boolean, OUT build jsonb)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    new registry.runs := jsonb_populate_record(NULL::registry.runs, request -> 'run');
    run registry.runs;
BEGIN
    INSERT INTO registry.runs (run_id, run_type, run_name, project, platform, os_version, image_type, labels, created_at, updated_at)
    VALUES (new.run_id, 'build', new.run_name, new.project, new.platform, new.os_version, new.image_type, new.labels,
            (request ->> 'at')::timestamptz, (request ->> 'at')::timestamptz)
    ON CONFLICT ON CONSTRAINT runs_name_unique DO NOTHING
    RETURNING * INTO run;
    is_new := FOUND;
    IF is_new THEN
        PERFORM registry.record_run_event('build_created', run, NULL, request, jsonb_build_object('build_number', run.run_name));
    ELSE
        SELECT * INTO run FROM registry.runs AS known WHERE known.run_type = 'build' AND known.run_name = new.run_name;
    END IF;
    build := registry.told_build(run);
END
$$;

-- Whoever changes a build holds its row, before any other lock.
CREATE FUNCTION registry.lock_build(wanted uuid, OUT run registry.runs)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO run FROM registry.runs AS known WHERE known.run_id = wanted AND known.run_type = 'build' FOR NO KEY UPDATE;
END
$$;

-- The states of a project, by code; null where it has no catalogue.
CREATE FUNCTION registry.catalogue_of(wanted text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT known.states FROM registry.projects AS known WHERE known.name = wanted AND known.states <> '[]');
END
$$;

-- A state of a build by its code, its name, or both; without a catalogue, one that is not named is called as it was
-- before. `fault`: 'no catalogue' to look the name up in, 'unknown state', 'other name'.
CREATE FUNCTION registry.known_state(
    run registry.runs, catalogue jsonb, code smallint, name text, OUT state jsonb, OUT fault text
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF catalogue IS NULL THEN
        fault := CASE WHEN code IS NULL THEN 'no catalogue' END;
        name := coalesce(name, (
            SELECT step.step_name FROM registry.steps AS step
            WHERE step.run_id = run.run_id AND step.state_code = code ORDER BY step.attempt DESC LIMIT 1), 'state-' || code);
        state := jsonb_build_object('code', code, 'name', name, 'final', code = 100, 'error', false);
        RETURN;
    END IF;
    SELECT known INTO state FROM jsonb_array_elements(catalogue) AS known
    WHERE CASE WHEN code IS NULL THEN known ->> 'name' = name ELSE (known ->> 'code')::smallint = code END;
    fault := CASE WHEN state IS NULL THEN 'unknown state' WHEN state ->> 'name' <> name THEN 'other name' END;
END
$$;

-- End the resume that is under way, if there is one, with its build or by itself.
CREATE FUNCTION registry.end_resume(run registry.runs, target text, request jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := request ->> 'at';
    before registry.resumes;
BEGIN
    SELECT * INTO before FROM registry.resumes AS resume WHERE resume.run_id = run.run_id AND resume.ended_at IS NULL;
    IF FOUND THEN
        UPDATE registry.resumes AS resume
        SET status = target, ended_at = greatest(at, resume.created_at), updated_at = greatest(at, resume.created_at),
            message = coalesce(request ->> 'message', resume.message)
        WHERE resume.resume_id = before.resume_id;
        PERFORM registry.record_resume(run, before, target, request);
    END IF;
END
$$;

CREATE FUNCTION registry.record_resume(run registry.runs, before registry.resumes, target text, request jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM registry.record_run_event('build_resume_status', run, NULL, request, jsonb_build_object(
        'resume_id', before.resume_id, 'before', jsonb_build_object('status', before.status),
        'after', jsonb_build_object('status', target)));
END
$$;

-- What was left at states so far is nothing to go on from any more.
CREATE FUNCTION registry.leave_artifacts(run registry.runs, lowest integer, highest integer, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registry.build_artifacts AS told SET left_behind_at = at
    WHERE told.run_id = run.run_id AND told.state_code BETWEEN lowest AND highest AND told.left_behind_at IS NULL;
END
$$;

-- Close the attempt that is open, if there is one, without success.
CREATE FUNCTION registry.fail_open_step(run registry.runs, reason text, request jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := request ->> 'at';
    closed registry.steps;
BEGIN
    UPDATE registry.steps AS step
    SET status = 'failed', is_awaited = false, ended_at = greatest(at, step.started_at), message = coalesce(step.message, reason)
    WHERE step.run_id = run.run_id AND step.ended_at IS NULL
    RETURNING * INTO closed;
    IF FOUND THEN
        PERFORM registry.leave_artifacts(run, closed.state_code, closed.state_code, at);
        PERFORM registry.record_run_event('build_state', run, closed.artifact_id, request,
            registry.told_step(closed) || jsonb_build_object('reason', reason));
    END IF;
END
$$;

-- What events tell of an attempt.
CREATE FUNCTION registry.told_step(step registry.steps) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN step.step_id IS NULL THEN '{}' ELSE jsonb_build_object(
        'state_id', step.step_id, 'state', step.state_code, 'attempt', step.attempt, 'status', step.status) END;
END
$$;

-- When an attempt began of which nobody said so: when whatever came before it had ended.
CREATE FUNCTION registry.idle_since(run registry.runs, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN least(at, greatest(run.created_at,
        (SELECT step.ended_at FROM registry.steps AS step WHERE step.run_id = run.run_id ORDER BY step.position DESC LIMIT 1),
        (SELECT resume.created_at FROM registry.resumes AS resume WHERE resume.run_id = run.run_id
         ORDER BY resume.resume_id DESC LIMIT 1)));
END
$$;

CREATE FUNCTION registry.next_attempt(run registry.runs, code smallint) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN 1 + coalesce((SELECT max(step.attempt) FROM registry.steps AS step
                         WHERE step.run_id = run.run_id AND step.state_code = code), 0);
END
$$;

-- Write what was told of a state into the attempt that is open at it, else into a new one.
-- request: {step_id (of a new one), status, message, at}.
CREATE FUNCTION registry.write_step(run registry.runs, open registry.steps, state jsonb, request jsonb, OUT step registry.steps)
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := request ->> 'at';
    told text := request ->> 'status';
    code smallint := state ->> 'code';
BEGIN
    IF NOT open.is_awaited AND open.state_code <> code THEN  -- as states of error may
        PERFORM registry.fail_open_step(run, 'ended by the state ' || (state ->> 'name'), request);
        open := NULL;
    END IF;
    IF open.step_id IS NULL THEN
        INSERT INTO registry.steps (step_id, run_id, position, state_code, step_name, attempt, status, message,
            created_at, started_at, ended_at)
        VALUES ((request ->> 'step_id')::uuid, run.run_id, run.steps + 1, code, state ->> 'name', registry.next_attempt(run, code),
            told, request ->> 'message', at,
            CASE WHEN told = 'in_progress' THEN at ELSE registry.idle_since(run, at) END,
            CASE WHEN told <> 'in_progress' THEN at END)
        RETURNING * INTO step;
    ELSE
        UPDATE registry.steps AS known
        SET state_code = code, step_name = state ->> 'name',
            attempt = CASE WHEN known.state_code = code THEN known.attempt ELSE registry.next_attempt(run, code) END,
            status = told, is_awaited = false, message = coalesce(request ->> 'message', known.message),
            started_at = CASE WHEN told = 'in_progress' THEN at ELSE known.started_at END,
            ended_at = CASE WHEN told <> 'in_progress' THEN greatest(at, known.started_at) END
        WHERE known.step_id = open.step_id
        RETURNING * INTO step;
    END IF;
END
$$;

-- Register what was told of an artifact with a state: under the state's name, to be resumed from if it was completed.
CREATE FUNCTION registry.register_state_artifact(run registry.runs, told registry.steps, request jsonb, OUT step registry.steps)
LANGUAGE plpgsql AS $$
DECLARE
    artifact jsonb := request #> '{artifact,registration,artifact}';
    registered record;
BEGIN
    artifact := artifact || jsonb_build_object('step_id', told.step_id, 'is_resumable', told.status = 'completed');
    SELECT * INTO registered FROM registry.register_build_artifact(
        (request -> 'artifact') || jsonb_build_object(
            'state_code', told.state_code,
            'registration', (request #> '{artifact,registration}') || jsonb_build_object(
                'artifact', artifact,
                'client_refs', jsonb_build_object('build_id', run.run_id, 'name', 'state-' || told.state_code))));
    UPDATE registry.steps AS known SET artifact_id = (registered.artifact).artifact_id
    WHERE known.step_id = told.step_id
    RETURNING * INTO step;
END
$$;

-- The build after an attempt; it ends where it is told so. What a resume saved is saved once the build gets on.
CREATE FUNCTION registry.move_build(run registry.runs, step registry.steps, ends text, request jsonb, OUT moved registry.runs)
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz := request ->> 'at';
    is_done boolean := coalesce(step.status = 'completed', false);
    saved double precision;
BEGIN
    IF step.status = 'failed' THEN  -- after its own artifact was registered: assets are locked before what is told of theirs
        PERFORM registry.leave_artifacts(run, step.state_code, step.state_code, at);
    END IF;
    IF is_done THEN
        UPDATE registry.resumes AS resume SET is_counted = true
        WHERE resume.resume_id = (SELECT latest.resume_id FROM registry.resumes AS latest
                                  WHERE latest.run_id = run.run_id ORDER BY latest.resume_id DESC LIMIT 1)
          AND NOT resume.is_counted
        RETURNING resume.saved_seconds INTO saved;
    END IF;
    UPDATE registry.runs AS known
    SET status = coalesce(ends, 'in_progress'),
        state_code = CASE WHEN is_done THEN step.state_code ELSE known.state_code END,
        state_name = CASE WHEN is_done THEN step.step_name ELSE known.state_name END,
        steps = greatest(known.steps, step.position),
        saved_seconds = known.saved_seconds + coalesce(saved, 0),
        message = CASE WHEN ends = 'failed' THEN coalesce(request ->> 'message', step.message) END,
        started_at = coalesce(known.started_at, step.started_at),
        ended_at = CASE WHEN ends IS NOT NULL THEN greatest(at, known.created_at, known.started_at, step.started_at) END,
        updated_at = greatest(at, known.updated_at)
    WHERE known.run_id = run.run_id
    RETURNING * INTO moved;
    IF ends IS NOT NULL THEN
        PERFORM registry.end_resume(run, ends, request);
    END IF;
    PERFORM registry.record_run_event(
        CASE WHEN step.step_id IS NULL THEN 'build_failed' ELSE 'build_state' END, run, step.artifact_id, request,
        jsonb_build_object('before', registry.told_run(run), 'after', registry.told_run(moved)) || registry.told_step(step));
END
$$;

-- Why a state cannot be told now; null where it can. `about` is the state in the way.
CREATE FUNCTION registry.state_refusal(
    run registry.runs, open registry.steps, catalogue jsonb, state jsonb, told text, OUT refusal text, OUT about integer
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    code smallint := state ->> 'code';
    first smallint := (SELECT known ->> 'code' FROM jsonb_array_elements(catalogue) AS known WHERE (known -> 'initial')::boolean);
BEGIN
    IF run.status IN ('completed', 'failed') THEN
        refusal := run.status;
    ELSIF (state -> 'error')::boolean THEN
        RETURN;
    ELSIF NOT open.is_awaited AND (open.state_code <> code OR told = 'in_progress') THEN
        refusal := 'open';
        about := open.state_code;
    ELSIF code <= run.state_code THEN
        refusal := 'not forward';
        about := run.state_code;
    ELSIF run.state_code IS NULL AND first <> code THEN
        refusal := 'not initial';
        about := first;
    END IF;
END
$$;

-- Tell of a state. request: {build_id, state_code, state_name, status, message, step_id, artifact (what
-- registry.register_build_artifact takes, or null), origin, at}. `outcome` is 'told', 'unknown build', a fault of
-- registry.known_state or a refusal of registry.state_refusal, then `about` the state in the way.
CREATE FUNCTION registry.report_state(request jsonb, OUT outcome text, OUT about integer, OUT attempt jsonb)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    run registry.runs := registry.lock_build((request ->> 'build_id')::uuid);
    catalogue jsonb := registry.catalogue_of(run.project);
    known record;
    open registry.steps;
    step registry.steps;
    refused record;
BEGIN
    SELECT * INTO known FROM registry.known_state(run, catalogue, (request ->> 'state_code')::smallint, request ->> 'state_name');
    outcome := CASE WHEN run.run_id IS NULL THEN 'unknown build' ELSE known.fault END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO open FROM registry.steps AS begun WHERE begun.run_id = run.run_id AND begun.ended_at IS NULL;
    SELECT * INTO refused FROM registry.state_refusal(run, open, catalogue, known.state, request ->> 'status');
    IF refused.refusal IS NOT NULL THEN
        outcome := refused.refusal;
        about := refused.about;
        RETURN;
    END IF;
    IF (known.state -> 'error')::boolean THEN
        request := request || '{"status": "failed"}';
    END IF;
    step := registry.write_step(run, open, known.state, request);
    IF jsonb_typeof(request -> 'artifact') = 'object' THEN
        step := registry.register_state_artifact(run, step, request);
    ELSIF step.status = 'completed' AND step.artifact_id IS NOT NULL THEN  -- it was told when the attempt was begun
        PERFORM registry.update_artifact(jsonb_build_object('artifact_id', step.artifact_id, 'is_resumable', true,
            'origin', request -> 'origin', 'at', request -> 'at'));
    END IF;
    PERFORM registry.move_build(run, step, CASE
        WHEN (known.state -> 'error')::boolean THEN 'failed'
        WHEN (known.state -> 'final')::boolean AND step.status = 'completed' THEN 'completed' END, request);
    outcome := 'told';
    SELECT to_jsonb(told) INTO attempt FROM registry.state_attempts AS told WHERE told.id = step.step_id;
END
$$;

-- Say that a build failed. request: {build_id, state_code, state_name (both null: at no state in particular), message,
-- step_id, origin, at}. `outcome` is 'failed', also where it had failed before, else as registry.report_state tells it.
CREATE FUNCTION registry.fail_build(request jsonb, OUT outcome text, OUT about integer, OUT build jsonb)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    run registry.runs := registry.lock_build((request ->> 'build_id')::uuid);
    open registry.steps;
    step registry.steps;
    catalogue jsonb;
    state jsonb;
BEGIN
    IF run.run_id IS NULL OR run.status IN ('completed', 'failed') THEN
        outcome := coalesce(run.status, 'unknown build');
        build := registry.told_build(run);
        RETURN;
    END IF;
    SELECT * INTO open FROM registry.steps AS begun WHERE begun.run_id = run.run_id AND begun.ended_at IS NULL;
    IF num_nonnulls(request ->> 'state_code', request ->> 'state_name') > 0 THEN
        catalogue := registry.catalogue_of(run.project);
        SELECT known.state, known.fault INTO state, outcome
        FROM registry.known_state(run, catalogue, (request ->> 'state_code')::smallint, request ->> 'state_name') AS known;
        IF outcome IS NULL THEN
            SELECT refused.refusal, refused.about INTO outcome, about
            FROM registry.state_refusal(run, open, catalogue, state, 'failed') AS refused;
        END IF;
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
    ELSIF NOT open.is_awaited THEN
        state := jsonb_build_object('code', open.state_code, 'name', open.step_name);
    END IF;
    IF state IS NOT NULL THEN
        step := registry.write_step(run, open, state, request || '{"status": "failed"}');
    ELSE
        PERFORM registry.fail_open_step(run, 'the build failed before', request);
    END IF;
    build := registry.told_build(registry.move_build(run, step, 'failed', request));
    outcome := 'failed';
END
$$;

-- The states that a build has completed, but for those that a resume went back behind; of each its latest attempt.
CREATE FUNCTION registry.completed_states(run registry.runs)
RETURNS TABLE (code smallint, name text, seconds double precision)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT ON (step.state_code) step.state_code, step.step_name,
        extract(epoch FROM step.ended_at - step.started_at)::double precision
    FROM registry.steps AS step
    WHERE step.run_id = run.run_id AND step.status = 'completed' AND step.left_behind_at IS NULL
    ORDER BY step.state_code DESC, step.attempt DESC;
END
$$;

-- What is needed to go on from a state and is not there; null where the state is none to go on from. Of the usable
-- artifacts, `codes` are the states and `names` has the state of each.
CREATE FUNCTION registry.missing_of_state(catalogue jsonb, code smallint, codes smallint[], names jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    known jsonb := (SELECT state FROM jsonb_array_elements(catalogue) AS state WHERE (state ->> 'code')::smallint = code);
BEGIN
    IF NOT coalesce((known -> 'resumable')::boolean, true) THEN
        RETURN NULL;
    END IF;
    IF jsonb_array_length(known -> 'required_artifacts') > 0 THEN
        RETURN ARRAY(
            SELECT format('the artifact %s, which state %s requires', name, code)
            FROM jsonb_array_elements_text(known -> 'required_artifacts') AS name
            WHERE ((names ->> name)::smallint <= code) IS NOT TRUE);
    END IF;
    RETURN CASE WHEN code = ANY (codes) THEN '{}' ELSE ARRAY[format('a resumable artifact of state %s', code)] END;
END
$$;

-- The state after one (null: the first): the catalogue's, or, without one, that which history has.
CREATE FUNCTION registry.state_after(run registry.runs, catalogue jsonb, code smallint, OUT next_state smallint, OUT next_name text)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    IF catalogue IS NULL THEN
        SELECT step.state_code, step.step_name INTO next_state, next_name
        FROM registry.steps AS step
        WHERE step.run_id = run.run_id AND step.state_code > coalesce(code, -1)
        ORDER BY step.state_code, step.attempt DESC LIMIT 1;
    ELSE
        SELECT known ->> 'code', known ->> 'name' INTO next_state, next_name
        FROM jsonb_array_elements(catalogue) AS known
        WHERE (known ->> 'code')::smallint > coalesce(code, -1) AND NOT (known -> 'error')::boolean
        ORDER BY code IS NULL AND (known -> 'initial')::boolean DESC, (known ->> 'code')::smallint LIMIT 1;
    END IF;
END
$$;

-- Where a build may be resumed, from a state that is wanted or (null) the best one. `from_state` is null for its
-- beginning; `missing` tells what keeps it from being resumed; null where the wanted state is not to be resumed from.
CREATE FUNCTION registry.resume_point(
    run registry.runs, wanted smallint, at timestamptz,
    OUT from_state smallint, OUT from_name text, OUT next_state smallint, OUT next_name text, OUT missing text[],
    OUT saved_seconds double precision
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    catalogue jsonb := registry.catalogue_of(run.project);
    codes smallint[];
    names jsonb;
    state record;
    lacking text[];
BEGIN
    SELECT array_agg(DISTINCT artifact.state_code), jsonb_object_agg(artifact.artifact_name, artifact.state_code)
    INTO codes, names FROM registry.usable_build_artifacts(run.run_id, at) AS artifact;
    missing := CASE WHEN wanted IS NULL AND run.state_code IS NULL THEN ARRAY[]::text[] END;
    FOR state IN SELECT * FROM registry.completed_states(run) AS done WHERE coalesce(done.code = wanted, true) LOOP
        lacking := registry.missing_of_state(catalogue, state.code, codes, names);
        missing := coalesce(missing, lacking);  -- where none will do: of the latest
        IF lacking = '{}' THEN
            missing := lacking;
            from_state := state.code;
            from_name := state.name;
            EXIT;
        END IF;
    END LOOP;
    IF missing IS NULL AND wanted IS NULL THEN
        missing := ARRAY['a completed state that builds are resumed from'];
    END IF;
    IF missing IS NOT NULL THEN
        missing := missing || ARRAY(
            SELECT format('the variable %s', variable.name) FROM registry.run_variables AS variable
            WHERE variable.run_id = run.run_id AND variable.required_for_resume AND NOT variable.is_set
            ORDER BY variable.name);
    END IF;
    SELECT coalesce(sum(done.seconds), 0) INTO saved_seconds
    FROM registry.completed_states(run) AS done WHERE done.code <= from_state;
    SELECT * INTO next_state, next_name FROM registry.state_after(run, catalogue, from_state);
END
$$;

-- Reopen a build. request: {build_id, from_state (null: the best one), reason, resume_id, step_id, origin, at}.
-- `outcome` is 'resumed', 'unknown build', 'pending' or 'completed' (its status forbids it), 'under way' (then `resume` is
-- that one), 'no such state', 'missing' (then what).
CREATE FUNCTION registry.resume_build(request jsonb, OUT outcome text, OUT missing text[], OUT resume registry.resumes)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    at timestamptz := request ->> 'at';
    run registry.runs := registry.lock_build((request ->> 'build_id')::uuid);
    point record;
    opened uuid;
    after registry.runs;
BEGIN
    SELECT * INTO resume FROM registry.resumes AS known WHERE known.run_id = run.run_id AND known.ended_at IS NULL;
    outcome := CASE
        WHEN run.run_id IS NULL THEN 'unknown build'
        WHEN run.status IN ('pending', 'completed') THEN run.status
        WHEN resume.resume_id IS NOT NULL THEN 'under way' END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO point FROM registry.resume_point(run, (request ->> 'from_state')::smallint, at);
    missing := point.missing;
    outcome := CASE WHEN missing IS NULL THEN 'no such state' WHEN missing <> '{}' THEN 'missing' ELSE 'resumed' END;
    IF outcome <> 'resumed' THEN
        RETURN;
    END IF;
    PERFORM registry.fail_open_step(run, 'given up for a resume', request);
    IF point.next_state IS NOT NULL THEN
        INSERT INTO registry.steps (step_id, run_id, position, state_code, step_name, attempt, status, resume_id, is_awaited,
            created_at, started_at)
        VALUES ((request ->> 'step_id')::uuid, run.run_id, run.steps + 1, point.next_state, point.next_name,
            registry.next_attempt(run, point.next_state), 'in_progress', (request ->> 'resume_id')::uuid, true, at, at)
        RETURNING step_id INTO opened;
    END IF;
    INSERT INTO registry.resumes (resume_id, run_id, status, from_state, next_state, step_id, reason, saved_seconds,
        requested_by, created_at, updated_at)
    VALUES ((request ->> 'resume_id')::uuid, run.run_id, 'pending', point.from_state, point.next_state, opened,
        request ->> 'reason', point.saved_seconds, request #>> '{origin,actor}', at, at)
    RETURNING * INTO resume;
    UPDATE registry.steps AS done SET left_behind_at = at
    WHERE done.run_id = run.run_id AND done.status = 'completed' AND done.state_code > coalesce(point.from_state, -1)
      AND done.left_behind_at IS NULL;
    PERFORM registry.leave_artifacts(run, coalesce(point.from_state, -1) + 1, 100, at);
    UPDATE registry.runs AS known
    SET status = 'in_progress', state_code = point.from_state, state_name = point.from_name, message = NULL,
        ended_at = NULL, updated_at = greatest(at, known.updated_at), resumes = known.resumes + 1,
        steps = known.steps + CASE WHEN opened IS NULL THEN 0 ELSE 1 END
    WHERE known.run_id = run.run_id
    RETURNING * INTO after;
    PERFORM registry.record_run_event('build_resumed', run, NULL, request, jsonb_build_object(
        'resume_id', resume.resume_id, 'from_state', point.from_state, 'next_state', point.next_state, 'state_id', opened,
        'reason', resume.reason, 'saved_seconds', resume.saved_seconds,
        'before', registry.told_run(run), 'after', registry.told_run(after)));
END
$$;

-- Move a resume on. request: {build_id, resume_id, status, message, origin, at}. `outcome` is 'moved', also where it
-- was there before, 'unknown', or 'backward'. One that failed fails its build.
CREATE FUNCTION registry.move_resume(request jsonb, OUT outcome text, OUT resume registry.resumes)
LANGUAGE plpgsql SET lock_timeout = '10s' AS $$
DECLARE
    life CONSTANT text[] := ARRAY['pending', 'triggered', 'running', 'completed'];
    at timestamptz := request ->> 'at';
    target text := request ->> 'status';
    run registry.runs := registry.lock_build((request ->> 'build_id')::uuid);
BEGIN
    SELECT * INTO resume FROM registry.resumes AS known
    WHERE known.resume_id = (request ->> 'resume_id')::uuid AND known.run_id = run.run_id;
    outcome := CASE
        WHEN resume.status IS NULL THEN 'unknown'
        WHEN resume.status = target THEN 'moved'
        WHEN resume.ended_at IS NOT NULL OR array_position(life, target) < array_position(life, resume.status) THEN 'backward' END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF target = 'failed' AND run.ended_at IS NULL THEN
        PERFORM registry.fail_open_step(run, 'the resume failed', request);
        PERFORM registry.move_build(run, NULL::registry.steps, 'failed', request);  -- which ends the resume
    ELSIF target IN ('completed', 'failed') THEN
        PERFORM registry.end_resume(run, target, request);
    ELSE
        UPDATE registry.resumes AS known
        SET status = target, message = coalesce(request ->> 'message', known.message), updated_at = greatest(at, known.updated_at)
        WHERE known.resume_id = resume.resume_id;
        PERFORM registry.record_resume(run, resume, target, request);
    END IF;
    SELECT * INTO resume FROM registry.resumes AS known WHERE known.resume_id = (request ->> 'resume_id')::uuid;
    outcome := 'moved';
END
$$;

-- The artifacts that a build may go on with, up to a state, by state and time; of very many, or very large ones, those of
-- the latest states.
CREATE FUNCTION registry.usable_up_to(run registry.runs, highest smallint, at timestamptz, OUT told text, OUT is_cut boolean)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    most CONSTANT integer := 1000;
    most_bytes CONSTANT integer := 8000000;
    artifact record;
    each text;
    bytes integer := 0;
    listed text[];
BEGIN
    is_cut := false;
    FOR artifact IN
        SELECT * FROM registry.usable_build_artifacts(run.run_id, at) AS usable
        WHERE usable.state_code <= highest
        ORDER BY usable.state_code DESC, usable.created_at DESC, usable.id DESC
    LOOP
        each := row_to_json(artifact)::text;
        bytes := bytes + octet_length(each);
        is_cut := listed IS NOT NULL AND (cardinality(listed) >= most OR bytes > most_bytes);
        EXIT WHEN is_cut;
        listed := each || coalesce(listed, '{}');
    END LOOP;
    told := '[' || coalesce(array_to_string(listed, ','), '') || ']';
END
$$;

-- All that whoever goes on with a build needs to know, as shared.models.build_resumes writes it; null where there is none.
CREATE FUNCTION registry.resume_context(wanted uuid, at timestamptz) RETURNS json
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    run registry.runs;
    latest registry.steps;
    point record;
    usable record;
    pending uuid;
    refusal text;
BEGIN
    SELECT * INTO run FROM registry.runs AS known WHERE known.run_id = wanted AND known.run_type = 'build';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO latest FROM registry.steps AS step WHERE step.run_id = wanted ORDER BY step.position DESC LIMIT 1;
    SELECT * INTO point FROM registry.resume_point(run, NULL, at);
    SELECT * INTO usable FROM registry.usable_up_to(run, point.from_state, at);
    SELECT resume.resume_id INTO pending FROM registry.resumes AS resume WHERE resume.run_id = wanted AND resume.ended_at IS NULL;
    refusal := CASE
        WHEN run.status IN ('pending', 'completed') THEN 'the build is ' || run.status
        WHEN pending IS NOT NULL THEN format('the resume %s is under way', pending) END;
    RETURN json_build_object(
        'build_id', run.run_id, 'build_number', run.run_name, 'status', run.status,
        'last_successful_state', registry.told_state(run.state_code, run.state_name),
        'failed_state', CASE WHEN latest.status = 'failed' AND NOT EXISTS (
            SELECT FROM registry.resumes AS resume WHERE resume.run_id = wanted AND resume.created_at >= latest.ended_at)
            THEN registry.told_state(latest.state_code, latest.step_name) END,
        'failure_message', CASE WHEN run.status = 'failed' OR latest.status = 'failed' THEN coalesce(run.message, latest.message) END,
        'resume_from', registry.told_state(point.from_state, point.from_name),
        'next_state', registry.told_state(point.next_state, point.next_name),
        'can_resume', refusal IS NULL AND point.missing = '{}',
        'missing', array_remove(refusal || point.missing, NULL),
        'resumable_artifacts', usable.told::json, 'artifacts_left_out', usable.is_cut,
        'variables', coalesce((
            SELECT json_agg(to_jsonb(variable) - 'run_id' ORDER BY variable.name)
            FROM registry.run_variables AS variable WHERE variable.run_id = wanted AND variable.required_for_resume), '[]'),
        'pending_resume_id', pending);
END
$$;

CREATE FUNCTION registry.told_state(code smallint, name text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN code IS NOT NULL THEN jsonb_build_object('code', code, 'name', name) END;
END
$$;

-- A resume as shared.models.build_resumes writes it.
CREATE FUNCTION registry.told_resume(resume registry.resumes) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN resume.resume_id IS NOT NULL THEN
        to_jsonb(resume) - ARRAY['resume_id', 'run_id', 'step_id', 'is_counted'] || jsonb_build_object(
            'id', resume.resume_id, 'build_id', resume.run_id, 'state_id', resume.step_id) END;
END
$$;

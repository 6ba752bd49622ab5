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

-- name: create(request)^
-- Make a build: see registry.create_build.
SELECT made.is_new, made.build::text AS build FROM registry.create_build(:request) AS made;

-- name: get(build_id)^
SELECT registry.told_build(run)::text AS build
FROM registry.runs AS run
WHERE run.run_id = :build_id AND run.run_type = 'build';

-- name: page(wanted, before_id, limit, looked_at)
-- Builds, newest first: see registry.list_builds.
SELECT listed.run_id, listed.build::text AS build FROM registry.list_builds(:wanted, :before_id, :limit, :looked_at) AS listed;

-- name: report_state(request)^
-- Tell of a state: see registry.report_state.
SELECT told.outcome, told.about, told.attempt::text AS attempt FROM registry.report_state(:request) AS told;

-- name: fail(request)^
-- Say that a build failed: see registry.fail_build.
SELECT told.outcome, told.about, told.build::text AS build FROM registry.fail_build(:request) AS told;

-- name: states(build_id, before_position, limit)
-- Attempts, newest first: see registry.list_states.
SELECT listed.place, listed.attempt FROM registry.list_states(:build_id, :before_position, :limit) AS listed;

-- name: resume_context(build_id, at)^
-- All that is needed to go on: see registry.resume_context.
SELECT registry.resume_context(:build_id, :at)::text AS context;

-- name: resume(request)^
-- Reopen a build: see registry.resume_build.
SELECT resumed.outcome, resumed.missing, registry.told_resume(resumed.resume)::text AS resume
FROM registry.resume_build(:request) AS resumed;

-- name: move_resume(request)^
-- Move a resume on: see registry.move_resume.
SELECT moved.outcome, registry.told_resume(moved.resume)::text AS resume FROM registry.move_resume(:request) AS moved;

-- name: get_resume(build_id, resume_id)^
SELECT registry.told_resume(resume)::text AS resume
FROM registry.resumes AS resume
WHERE resume.resume_id = :resume_id AND resume.run_id = :build_id;

-- name: resumes(build_id, before_id, limit)
-- Resumes of a build, newest first.
SELECT resume.resume_id, registry.told_resume(resume)::text AS resume
FROM registry.resumes AS resume
WHERE resume.run_id = :build_id AND resume.resume_id < :before_id
ORDER BY resume.resume_id DESC
LIMIT :limit;

-- name: add(request)^
-- Register an artifact of a build: see registry.add_build_artifact.
SELECT outcome, artifact, in_the_way FROM registry.add_build_artifact(:request);

-- name: get(build_id, artifact_id)^
-- An artifact of a build, also one that is deleted.
SELECT row_to_json(record)::text AS artifact FROM registry.build_artifact_records AS record
WHERE record.id = :artifact_id AND record.build_id = :build_id;

-- name: page(request)^
-- Artifacts of a build by state and time: see registry.list_build_artifacts.
SELECT artifacts, leads_on FROM registry.list_build_artifacts(:request);

-- name: hold(build_id, artifact_id, new_name, shares_holds)^
-- Lock an artifact of a build before it is changed: see registry.hold_build_artifact.
SELECT registry.hold_build_artifact(:build_id, :artifact_id, :new_name, :shares_holds) AS artifact;

-- name: rename(request)^
-- Give an artifact that is held another name: see registry.rename_build_artifact.
SELECT registry.rename_build_artifact(:request) AS taken_by;

-- name: take_up(request)!
-- Let a build be resumed with what was left behind: see registry.take_up_build_artifact.
SELECT registry.take_up_build_artifact(:request);

-- name: told_bytes(artifact_id)^
-- What its sender said of the bytes of a build's artifact; no row where it is no build's.
SELECT checksum, checksum_algorithm
FROM registry.build_artifact_records WHERE id = :artifact_id;

"""Examples of the documentation of builds, one build throughout."""

from typing import Any

BUILD_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_ATTEMPT_ID = "550e8400-e29b-41d4-a716-446655440000"
_ARTIFACT_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e95"
_RESUME_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e97"
_PATH = "s3://my-builds/project-123/build-456/state-25/base-image.qcow2"
_DIGITS = "abcdef0123456789" * 4

WANTED_BUILD: dict[str, Any] = {
    "build_number": "rhel-9-base-1042",
    "project": "linux-images",
    "platform": "vsphere",
    "os_version": "rhel-9.4",
    "image_type": "base",
    "labels": {"team": "platform"},
}
BUILD: dict[str, Any] = {
    "id": BUILD_ID,
    **WANTED_BUILD,
    "status": "in_progress",
    "state": 25,
    "state_name": "package-installation",
    "attempts": 3,
    "resumes": 0,
    "message": None,
    "created_at": "2026-02-16T10:00:00Z",
    "updated_at": "2026-02-16T10:45:00Z",
    "start_time": "2026-02-16T10:05:00Z",
    "end_time": None,
    "duration_seconds": None,
}
NEW_BUILD = BUILD | {
    "status": "pending",
    "state": None,
    "state_name": None,
    "attempts": 0,
    "updated_at": "2026-02-16T10:00:00Z",
    "start_time": None,
}
FAILURE: dict[str, Any] = {"message": "The mirror of packages did not answer."}
FAILED_BUILD = BUILD | {
    "status": "failed",
    "message": FAILURE["message"],
    "end_time": "2026-02-16T10:50:00Z",
    "duration_seconds": 2700.0,
}

REPORT: dict[str, Any] = {
    "state_name": "package-installation",
    "state_code": 25,
    "message": "Packages installed successfully",
    "artifact_storage_type": "s3",
    "artifact_storage_path": _PATH,
    "artifact_size_bytes": 2147483648,
    "artifact_checksum": f"sha256:{_DIGITS}",
    "artifact_metadata": {"compression": "gzip", "format": "qcow2", "virtual_size_gb": 100},
}
ATTEMPT: dict[str, Any] = {
    "id": _ATTEMPT_ID,
    "build_id": BUILD_ID,
    "state": 25,
    "state_name": "package-installation",
    "attempt": 1,
    "status": "completed",
    "message": "Packages installed successfully",
    "start_time": "2026-02-16T10:30:00Z",
    "end_time": "2026-02-16T10:45:00Z",
    "duration_seconds": 900.0,
    "artifact_id": _ARTIFACT_ID,
    **{name: value for name, value in REPORT.items() if name.startswith("artifact_")},
    "artifact_status": "active",
    "resume_id": None,
    "created_at": "2026-02-16T10:30:00Z",
}

WANTED_ARTIFACT: dict[str, Any] = {
    "state_code": 20,
    "artifact_name": "base-vm-snapshot",
    "artifact_type": "vm_snapshot",
    "artifact_path": "s3://my-builds/project-123/build-456/state-20/snapshot.qcow2",
    "storage_backend": "s3",
    "storage_region": "us-east-1",
    "storage_bucket": "my-builds",
    "storage_key": "project-123/build-456/state-20/snapshot.qcow2",
    "size_bytes": 2147483648,
    "checksum": _DIGITS,
    "checksum_algorithm": "sha256",
    "is_resumable": True,
    "is_final": False,
    "metadata": {"vm_id": "vm-abc123", "disk_format": "qcow2"},
}
BUILD_ARTIFACT: dict[str, Any] = {
    "id": _ARTIFACT_ID,
    "build_id": BUILD_ID,
    **WANTED_ARTIFACT,
    "expires_at": None,
    "created_at": "2026-02-16T10:30:00Z",
    "updated_at": "2026-02-16T10:30:00Z",
    "deleted_at": None,
    "revision": 1,
    "status": "active",
    "content_hash": f"1220{_DIGITS}",
    "verified_at": None,
    "found_corrupt_at": None,
    "missing_since": None,
    "left_behind_at": None,
}
DELETED_ARTIFACT = BUILD_ARTIFACT | {
    "status": "deleted",
    "updated_at": "2026-03-01T12:00:00Z",
    "deleted_at": "2026-03-01T12:00:00Z",
}
VERIFIED_ARTIFACT = BUILD_ARTIFACT | {"verified_at": "2026-02-16T11:00:00Z"}

WANTED_RESUME: dict[str, Any] = {"from_state": 20, "reason": "The mirror answers again."}
RESUME_CHANGE: dict[str, Any] = {"status": "running", "message": "Build server B has it."}
RESUME: dict[str, Any] = {
    "id": _RESUME_ID,
    "build_id": BUILD_ID,
    "status": "pending",
    "from_state": 20,
    "next_state": 25,
    "state_id": "550e8400-e29b-41d4-a716-446655440001",
    "reason": WANTED_RESUME["reason"],
    "message": None,
    "saved_seconds": 5400.0,
    "requested_by": "key:0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e92",
    "created_at": "2026-02-16T12:00:00Z",
    "updated_at": "2026-02-16T12:00:00Z",
    "ended_at": None,
}
RUNNING_RESUME = RESUME | RESUME_CHANGE | {"updated_at": "2026-02-16T12:05:00Z"}

WANTED_VARIABLE: dict[str, Any] = {
    "value": "vm-abc123",
    "sensitive": False,
    "required_for_resume": True,
}
VARIABLE: dict[str, Any] = {
    "name": "VM_ID",
    "value": "vm-abc123",
    "is_set": True,
    "sensitive": False,
    "required_for_resume": True,
    "created_at": "2026-02-16T10:30:00Z",
    "updated_at": "2026-02-16T10:30:00Z",
}
RESUME_CONTEXT: dict[str, Any] = {
    "build_id": BUILD_ID,
    "build_number": "rhel-9-base-1042",
    "status": "failed",
    "last_successful_state": {"code": 20, "name": "base-image"},
    "failed_state": {"code": 25, "name": "package-installation"},
    "failure_message": FAILURE["message"],
    "resume_from": {"code": 20, "name": "base-image"},
    "next_state": {"code": 25, "name": "package-installation"},
    "can_resume": True,
    "missing": [],
    "resumable_artifacts": [BUILD_ARTIFACT],
    "artifacts_left_out": False,
    "variables": [VARIABLE],
    "pending_resume_id": None,
}


def _state(code: int, name: str, **told: object) -> dict[str, Any]:
    plain = {"initial": False, "final": False, "error": False, "resumable": True}
    return {"code": code, "name": name, **plain, "required_artifacts": [], **told}


WANTED_PROJECT: dict[str, Any] = {
    "states": [
        _state(10, "base-image-created", initial=True),
        _state(20, "base-image", required_artifacts=["base-vm-snapshot"]),
        _state(25, "package-installation"),
        _state(90, "given-up", error=True, resumable=False),
        _state(100, "published", final=True),
    ]
}
PROJECT: dict[str, Any] = {
    "name": "linux-images",
    **WANTED_PROJECT,
    "created_at": "2026-02-01T09:00:00Z",
    "updated_at": "2026-02-01T09:00:00Z",
}

DASHBOARD: dict[str, Any] = {
    "total": 1042,
    "by_status": [{"value": "completed", "builds": 1000}, {"value": "failed", "builds": 42}],
    "by_project": [{"value": "linux-images", "builds": 1042}],
    "by_platform": [{"value": "vsphere", "builds": 1040}, {"value": None, "builds": 2}],
    "by_state": [{"value": 20, "builds": 42}, {"value": 100, "builds": 1000}],
    "recent": [BUILD],
    "durations": [
        {
            "state": 25,
            "attempts": 1000,
            "p50_seconds": 870.0,
            "p90_seconds": 1210.5,
            "p95_seconds": 1394.0,
            "p99_seconds": 2100.25,
        }
    ],
    "resumed_builds": 84,
    "resumed_share": 0.0806,
    "saved_seconds": 604800.0,
}

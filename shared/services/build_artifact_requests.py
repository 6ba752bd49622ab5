"""What registers an artifact of a build, as the registry's functions take it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.models.artifacts import BUILD_CLIENT_TYPE, unsigned
from shared.models.axes import Processing, Stage
from shared.models.blob_urls import read_blob_url
from shared.models.build_artifacts import BuildArtifactRequest
from shared.models.checksums import Checksum, parse_checksum
from shared.models.ids import new_id
from shared.models.registrations import Origin
from shared.services.ingestion_looks import BLOB_BACKENDS

_CONTENT = (
    "artifact_type",
    "storage_backend",
    "storage_region",
    "size_bytes",
    "is_resumable",
    "is_final",
    "expires_at",
    "metadata",
)


def artifact_request(
    build_id: UUID,
    wanted: BuildArtifactRequest,
    *,
    origin: Origin,
    at: datetime,
    step_id: UUID | None = None,
) -> dict[str, Any]:
    """What `registry.register_build_artifact` takes."""
    checksum = (
        parse_checksum(wanted.checksum, wanted.checksum_algorithm) if wanted.checksum else None
    )
    told = wanted.model_dump(mode="json")
    return {
        "run_id": str(build_id),
        "state_code": wanted.state_code,
        "storage_bucket": wanted.storage_bucket and unsigned(wanted.storage_bucket),
        "storage_key": wanted.storage_key and unsigned(wanted.storage_key),
        "checksum": checksum and checksum.text,
        "checksum_algorithm": checksum and checksum.algorithm,
        "registration": {
            "client_type": BUILD_CLIENT_TYPE,
            "client_refs": {"build_id": str(build_id), "name": wanted.artifact_name},
            "asset_id": str(new_id()),
            "overwrite": wanted.overwrite,
            "register_unchanged": True,
            "is_repeatable": False,
            "once_per_state": False,
            "origin": origin.as_json(),
            "artifact": _located(wanted)
            | _content(told, checksum)
            | {
                "artifact_id": str(new_id()),
                "run_id": str(build_id),
                "step_id": str(step_id) if step_id else None,
                "created_at": at.isoformat(),
            },
        },
    }


def _content(told: dict[str, Any], checksum: Checksum | None) -> dict[str, Any]:
    return {name: told[name] for name in _CONTENT} | {
        "content_hash": checksum and checksum.content_hash,
        "processing": Processing.COMPLETED,
        "stage": Stage.INTERMEDIATE,
    }


def _located(wanted: BuildArtifactRequest) -> dict[str, Any]:
    """Where the bytes are: the registry acts on blobs; everything else is a reference."""
    address = {"uri": unsigned(wanted.artifact_path)}
    found = read_blob_url(wanted.artifact_path)
    if wanted.storage_backend not in BLOB_BACKENDS or found is None:
        return address
    return address | {
        "storage_account": found.blob.account,
        "container": found.blob.container,
        "blob_path": found.blob.path,
        "blob_version_id": found.version_id,
    }

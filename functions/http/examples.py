"""Examples of the documentation, one artifact throughout."""

from typing import Any

ARTIFACT_ID = "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e90"
CONTENT_HASH = "1220" + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CLIENT_REFS = {"dataset_id": "flood-2024", "resource_id": "site-a"}
METADATA = {"title": "Flood risk, site A", "tags": ["flood", "2024"]}

REGISTRATION: dict[str, Any] = {
    "client_type": "ddh",
    "client_refs": CLIENT_REFS,
    "storage_account": "pipelineoutput",
    "container": "silver-cogs",
    "blob_path": "flood-2024/site-a.tif",
    "content_hash": CONTENT_HASH,
    "size_bytes": 52428800,
    "content_type": "image/tiff",
    "artifact_type": "raster",
    "metadata": METADATA,
    "stac_collection_id": "silver-cogs",
    "stac_item_id": "flood-2024-site-a",
    "source_job_id": "job-123",
    "overwrite": True,
}

ARTIFACT: dict[str, Any] = {
    "artifact_id": ARTIFACT_ID,
    "asset_id": "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e8f",
    "client_type": "ddh",
    "client_refs": CLIENT_REFS,
    "revision": 3,
    "status": "active",
    "supersedes": "0198b1c0-55aa-7c11-8d2e-6f0a9b3c4d5e",
    "superseded_by": None,
    "processing": "completed",
    "stage": "intermediate",
    "disposition": "live",
    "storage_backend": None,
    "storage_account": "pipelineoutput",
    "container": "silver-cogs",
    "blob_path": "flood-2024/site-a.tif",
    "blob_version_id": None,
    "blob_etag": None,
    "storage_region": None,
    "uri": None,
    "storage_tier": None,
    "content_hash": CONTENT_HASH,
    "size_bytes": 52428800,
    "row_count": None,
    "content_type": "image/tiff",
    "artifact_type": "raster",
    "data": None,
    "metadata": METADATA,
    "stac_collection_id": "silver-cogs",
    "stac_item_id": "flood-2024-site-a",
    "source_job_id": "job-123",
    "source_task_id": None,
    "run_id": None,
    "step_id": None,
    "producer": None,
    "producer_version": None,
    "is_resumable": False,
    "is_final": False,
    "expires_at": None,
    "verified_at": None,
    "created_at": "2026-01-22T09:30:00Z",
    "updated_at": "2026-01-22T09:30:00Z",
    "archived_at": None,
    "deleted_at": None,
    "purged_at": None,
    "missing_since": None,
}

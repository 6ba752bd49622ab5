"""What the surface of ingestion rules is asked with, and its examples.

Validators of requests are built at import, as those of `artifact_bodies` are.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, TypeAdapter

from functions.http.examples import CLIENT_REFS
from functions.http.reading import read_value
from shared.models.artifacts import ArtifactRegistration
from shared.models.documents import MAXIMUM_ITEMS
from shared.models.rules import IngestionRule, RuleList

_MOST_PAIRS = 1000
"""A blob has 8 KiB of metadata and 10 tags at most."""
_ACCOUNT: dict[str, Any] = {"pattern": "^[a-z0-9]{3,24}$"}
_CONTAINER: dict[str, Any] = {
    "pattern": r"^([a-z0-9]+(-[a-z0-9]+)*|\$root|\$web|\$logs)$",
    "minLength": 3,
    "maxLength": 63,
}
"""Only described: who makes a blob's name checks it."""

RULE: dict[str, Any] = {
    "name": "silver-cogs",
    "priority": 100,
    "enabled": True,
    "account": None,
    "container": "silver-cogs",
    "path": "{dataset_id}/{resource_id}.tif",
    "client_type": "ddh",
    "client_refs": {"dataset_id": "{dataset_id}", "resource_id": "{resource_id}"},
    "artifact_type": "raster",
    "content_type": "image/tiff",
    "stac_collection_id": "silver-cogs",
    "stac_item_id": "{dataset_id}-{resource_id}",
    "metadata": {},
    "stage": "intermediate",
    "overwrite": True,
    "same_bytes": "keep",
    "overrides": "descriptive",
    "when_deleted": "keep",
}
CHANGES: dict[str, Any] = {
    "version": 17,
    "added": [RULE],
    "changed": [],
    "removed": [],
    "unchanged": 4,
}
TRIAL_ASKED: dict[str, Any] = {
    "container": "silver-cogs",
    "path": "flood-2024/site-a.tif",
    "tags": {"registry_producer": "cog-maker"},
}
TRIAL: dict[str, Any] = {
    "rule": "silver-cogs",
    "values": CLIENT_REFS,
    "also_matching": [],
    "registration": dict.fromkeys(ArtifactRegistration.model_fields)
    | {
        "client_type": "ddh",
        "client_refs": CLIENT_REFS,
        "artifact_type": "raster",
        "content_type": "image/tiff",
        "metadata": {},
        "stac_collection_id": "silver-cogs",
        "stac_item_id": "flood-2024-site-a",
        "producer": "cog-maker",
        "processing": "completed",
        "stage": "intermediate",
        "overwrite": True,
        "register_unchanged": False,
        "is_resumable": False,
        "is_final": False,
    },
    "problem": None,
}


class RuleRequest(IngestionRule):
    """A rule that is to be in force."""

    model_config = ConfigDict(defer_build=False)


class _Rules(RuleList):
    model_config = ConfigDict(defer_build=False)


_RULES: TypeAdapter[_Rules] = TypeAdapter(_Rules)
_UnreadRules = SkipValidation[Annotated[list[IngestionRule], Field(max_length=MAXIMUM_ITEMS)]]
"""As they were sent: a hostile set takes a second to read, which nothing else is to wait for."""


def read_rules(sent: _UnreadRules) -> RuleList:
    """Rules of a request, read once its caller is let in, where taking long is allowed."""
    return read_value(_RULES, {"rules": sent}, "body")


class RuleListRequest(BaseModel):
    """All rules that are to be in force; no two have one name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: _UnreadRules


class TrialRequest(BaseModel):
    """An upload that need not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Annotated[str, Field(json_schema_extra=_ACCOUNT)] | None = None
    """Null stands for the first account that the registry serves."""
    container: Annotated[str, Field(json_schema_extra=_CONTAINER)]
    path: Annotated[str, Field(min_length=1, max_length=1024)]
    metadata: Annotated[dict[str, str], Field(max_length=_MOST_PAIRS)] = {}
    tags: Annotated[dict[str, str], Field(max_length=_MOST_PAIRS)] = {}
    rules: _UnreadRules | None = None
    """Rules to try instead of those that are in force."""

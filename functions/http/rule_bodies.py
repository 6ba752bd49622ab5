"""What the surface of ingestion rules is asked with, and its examples.

Validators of requests are built at import, as those of `artifact_bodies` are.
"""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from functions.http.examples import REGISTRATION
from shared.models.rules import IngestionRule, RuleList

_MOST_PAIRS = 1000
"""A blob has 8 KiB of metadata and 10 tags at most."""

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
_VALUES = {"dataset_id": "flood-2024", "resource_id": "site-a"}
TRIAL_ASKED: dict[str, Any] = {
    "container": "silver-cogs",
    "path": "flood-2024/site-a.tif",
    "tags": {"registry_producer": "cog-maker"},
}
TRIAL: dict[str, Any] = {
    "rule": "silver-cogs",
    "values": _VALUES,
    "also_matching": [],
    "registration": REGISTRATION,
    "problem": None,
}


class RuleRequest(IngestionRule):
    """A rule that is to be in force."""

    model_config = ConfigDict(defer_build=False)


class RuleListRequest(RuleList):
    """All rules that are to be in force; no two have one name."""

    model_config = ConfigDict(defer_build=False)


class TrialRequest(BaseModel):
    """An upload that need not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str | None = None
    """Null stands for the first account that the registry serves."""
    container: str
    path: str
    metadata: Annotated[dict[str, str], Field(max_length=_MOST_PAIRS)] = {}
    tags: Annotated[dict[str, str], Field(max_length=_MOST_PAIRS)] = {}
    rules: list[IngestionRule] | None = None
    """Rules to try instead of those that are in force."""

    @model_validator(mode="after")
    def _rules_could_be_in_force(self) -> Self:
        if self.rules is not None:
            RuleList(rules=self.rules)
        return self

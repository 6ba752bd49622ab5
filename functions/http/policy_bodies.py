"""What the surface of policies is asked with, and its examples.

Validators of requests are built at import, as those of `artifact_bodies` are.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, TypeAdapter

from functions.http.reading import read_value
from shared.models.documents import MAXIMUM_ITEMS
from shared.models.policies import Policy
from shared.models.policy_files import PolicyList

POLICY: dict[str, Any] = {
    "name": "cool-old-revisions",
    "kind": "archive",
    "target_tier": "Cool",
    "clock": "superseded",
    "age": "P30D",
    "keep_last": 2,
    "selector": {
        "client_type": "ddh",
        "client_refs": {"dataset_id": "flood-2024"},
        "container": "silver-cogs",
        "artifact_type": "cog",
    },
    "enabled": True,
    "priority": 100,
    "locked": False,
}
CHANGES: dict[str, Any] = {
    "version": 17,
    "added": [POLICY],
    "changed": [],
    "removed": [],
    "unchanged": 9,
}


class PolicyRequest(Policy):
    """A policy that is to be kept."""

    model_config = ConfigDict(defer_build=False)


class _Policies(PolicyList):
    model_config = ConfigDict(defer_build=False)


_POLICIES: TypeAdapter[_Policies] = TypeAdapter(_Policies)
_Unread = SkipValidation[Annotated[list[Policy], Field(max_length=MAXIMUM_ITEMS)]]
"""As they were sent: reading many takes a while, which nothing else is to wait for."""


def read_policies(sent: _Unread) -> PolicyList:
    """Policies of a request, read once its caller is let in, where taking long is allowed."""
    return read_value(_POLICIES, {"policies": sent}, "body")


class PolicyListRequest(BaseModel):
    """All policies that there are to be; no two have one name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policies: _Unread

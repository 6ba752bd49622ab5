"""Policies for tests."""

from typing import Any

from shared.models.policies import Policy
from shared.models.policy_files import PolicyList

POLICY: dict[str, Any] = {"kind": "delete", "clock": "created", "age": "P30D"}


def policy(name: str, **fields: Any) -> Policy:
    """A policy that deletes what was created 30 days ago, but for these fields."""
    return Policy.model_validate({"name": name} | POLICY | fields)


def policy_list(*policies: Policy) -> PolicyList:
    return PolicyList(policies=list(policies))

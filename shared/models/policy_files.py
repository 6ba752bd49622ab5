"""All policies as one document, and what another one would change."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from shared.models.documents import (
    MAXIMUM_ITEMS,
    DocumentChanges,
    Kept,
    UnreadableItem,
    twins,
)
from shared.models.policies import Policy
from shared.models.rule_fields import refuse

KeptPolicy = Policy | UnreadableItem
KEPT_POLICIES: TypeAdapter[list[KeptPolicy]] = TypeAdapter(
    list[Kept[Policy]], config=ConfigDict(defer_build=True)
)


class PolicyChanges(DocumentChanges[Policy]):
    """What makes one set of policies another; `version` is that of those then kept."""


class PolicyFile(BaseModel):
    """The policies that are kept, by name, and the version that every change makes another."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    policies: list[Kept[Policy]]

    @property
    def enabled(self) -> list[Policy]:
        """Those that act by themselves, in the order in which they do."""
        known = (each for each in self.policies if isinstance(each, Policy) and each.enabled)
        return sorted(known, key=lambda policy: (policy.priority, policy.name))

    @property
    def unreadable(self) -> list[str]:
        """The names of those that another version of the registry wrote, and nobody here runs."""
        return [each.name for each in self.policies if isinstance(each, UnreadableItem)]


class PolicyList(BaseModel):
    """A whole set of policies, as a file holds it; no two of one name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    policies: Annotated[list[Policy], Field(max_length=MAXIMUM_ITEMS)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse(twins("policies", self.policies))
        return self

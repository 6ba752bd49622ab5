"""What a pipeline has to do about an output that may be there already."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.models.artifacts import Artifact
from shared.models.content_hash import ContentHash


class Decision(StrEnum):
    """How much work an output is."""

    NO_CHANGE = "no_change"
    """The current artifact holds these bytes and says the same of them."""
    METADATA_ONLY = "metadata_only"
    """The bytes are the same; what is said of them differs."""
    FULL_REPROCESS = "full_reprocess"
    """There is no current artifact, or its bytes differ or are not known."""


class OverwriteDecision(BaseModel):
    """The decision and what led to it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    decision: Decision
    changed: list[str]
    """Names of what differs: `content_hash` first, then keys of the metadata, sorted. Empty where
    there is no current artifact to differ from."""
    artifact: Artifact | None
    """The asset's current artifact."""


def decide(
    current: Artifact | None, content_hash: ContentHash | None, metadata: Mapping[str, JsonValue]
) -> OverwriteDecision:
    """Compare what is to be written with what is there. An unknown hash equals none."""
    if current is None:
        return OverwriteDecision(decision=Decision.FULL_REPROCESS, changed=[], artifact=None)
    changed = sorted(
        key
        for key, value in metadata.items()
        if key not in current.metadata or not equal_json(current.metadata[key], value)
    )
    if content_hash is None or current.content_hash != content_hash:
        changed = ["content_hash", *changed]
        return OverwriteDecision(
            decision=Decision.FULL_REPROCESS, changed=changed, artifact=current
        )
    decision = Decision.METADATA_ONLY if changed else Decision.NO_CHANGE
    return OverwriteDecision(decision=decision, changed=changed, artifact=current)


def equal_json(one: JsonValue, other: JsonValue) -> bool:
    """Whether two JSON values are one: `true` is not 1, 1 is 1.0, no order of keys matters."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal_json(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal_json, one, other))
    if _is_number(one) and _is_number(other):
        # By their digits: a float of 1e23 comes back from the database as an integer.
        return Decimal(repr(one)) == Decimal(repr(other))
    return type(one) is type(other) and one == other


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

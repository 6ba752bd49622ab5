"""What an upload is registered as: by the rule that knows it, and by what its uploader says.

An uploader speaks through the blob's metadata and index tags, in keys that begin with `registry_`.
Letter case does not count in keys, for metadata is sent in headers. Tags beat metadata: they can be
changed later without a new state of the blob.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from shared.errors import InvalidInput
from shared.models.artifacts import LONGEST_NAME, ArtifactRegistration
from shared.models.blobs import BlobReference
from shared.models.pointers import json_pointer
from shared.models.rules import RuleMatch
from shared.models.templates import INTEGER

_PREFIX = "registry_"
_TEXTS = frozenset({
    "artifact_type", "content_type", "stac_collection_id", "stac_item_id", "source_job_id",
    "source_task_id", "producer", "producer_version", "stage", "expires_at",
})  # fmt: skip
_FLAGS = frozenset({"is_final", "is_resumable"})
_IDENTITY = frozenset({"client_type", "overwrite"})
_KNOWN = ", ".join(
    f"{_PREFIX}{name}" for name in sorted(_TEXTS | _FLAGS | _IDENTITY | {"metadata_…", "ref_…"})
)
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class _Said:
    """One thing that an uploader says."""

    source: str
    """`metadata` or `tags`."""
    key: str
    """As it was written."""
    name: str
    """In lower case, without the prefix."""
    value: str

    def refused(self, why: str) -> InvalidInput:
        kind = "index tag" if self.source == "tags" else "blob metadata"
        return InvalidInput(
            f"{kind} {self.key[:100]!r}: {why}", json_pointer(self.source, self.key)
        )


def registration_of(
    blob: BlobReference,
    match: RuleMatch | None,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
) -> ArtifactRegistration:
    """What a blob is registered as; its location and its bytes are left to say.

    Without a rule the asset is the blob itself. What its uploader says beats the rule as far as the
    rule lets it.

    Raises InvalidInput where what comes out is no registration. The pointer is into
    `{"metadata": …, "tags": …}` for what the uploader said, and else into the registration.
    """
    members = _by_rule(blob, match) if match else _as_itself(blob)
    overrides = match.rule.overrides if match else "descriptive"
    said = _said("metadata", metadata) | _said("tags", tags) if overrides != "none" else {}
    sayers = {_put(one, members, may_identify=overrides == "all"): one for one in said.values()}
    return _validated(members, match, sayers)


def content_type_of(registration: ArtifactRegistration, header: str | None) -> str | None:
    """The content type that is registered: what was said of the bytes, else the blob's own header.

    An uploader may write anything there; no odd header keeps a blob out of the registry.
    """
    return registration.content_type or (header or "")[:LONGEST_NAME] or None


def asset_of(blob: BlobReference, match: RuleMatch) -> ArtifactRegistration:
    """The asset that a rule says a blob is, and no more: nothing else that it says can be at fault.

    Raises InvalidInput where that is no asset.
    """
    members = _by_rule(blob, match)
    identity = {name: members[name] for name in ("client_type", "client_refs")}
    return _validated(identity, match, {})


def _validated(
    members: Mapping[str, Any], match: RuleMatch | None, sayers: Mapping[str, _Said]
) -> ArtifactRegistration:
    try:
        return ArtifactRegistration.model_validate(members)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
    why = str(fault["msg"]).removeprefix("Value error, ")
    field, *_ = fault["loc"] or ("",)
    if field in sayers:
        raise sayers[str(field)].refused(why)
    place = json_pointer(*fault["loc"])
    rule = f"Rule {match.rule.name}" if match else "The registry"
    raise InvalidInput(f"{rule} makes no registration of this name. {place}: {why}.", place)


def _by_rule(blob: BlobReference, match: RuleMatch) -> dict[str, Any]:
    filename = blob.path.rpartition("/")[2]
    return match.rule.members({**match.values, **_name_of(blob), "filename": filename})


def _as_itself(blob: BlobReference) -> dict[str, Any]:
    refs = _name_of(blob)
    return {"client_type": "blob", "client_refs": refs, "metadata": {}, "overwrite": True}


def _name_of(blob: BlobReference) -> dict[str, str]:
    return {"account": blob.account, "container": blob.container, "path": blob.path}


def _said(source: str, pairs: Mapping[str, str]) -> dict[str, _Said]:
    said: dict[str, _Said] = {}
    for key, value in pairs.items():
        prefix, name = key[: len(_PREFIX)].lower(), key[len(_PREFIX) :].lower()
        one = _Said(source, key, name, value)
        if prefix == _PREFIX and name in said:
            raise one.refused("it is there again in other letters; keep one of the two")
        if prefix == _PREFIX:
            said[name] = one
    return said


def _put(said: _Said, members: dict[str, Any], *, may_identify: bool) -> str:
    """Put what is said where it belongs; answers the member of the registration that it is in."""
    kind, _, name = said.name.partition("_")
    if said.name in _TEXTS:
        members[said.name] = said.value
        return said.name
    if said.name in _FLAGS:
        members[said.name] = _boolean(said)
        return said.name
    if kind == "metadata" and name:
        members["metadata"][_spelled(name, members["metadata"])] = said.value
        return "metadata"
    if said.name not in _IDENTITY and not (kind == "ref" and name):
        raise said.refused(f"no such key is known; known are {_KNOWN}")
    if not may_identify:
        raise said.refused("it says which asset this is, which needs a rule with overrides: all")
    if kind == "ref":
        refs = members["client_refs"]
        key = _spelled(name, refs)
        refs[key] = _like(refs.get(key), said)
        return "client_refs"
    members[said.name] = _boolean(said) if said.name == "overwrite" else said.value
    return said.name


def _spelled(name: str, members: Mapping[str, JsonValue]) -> str:
    """The member as the rule writes it: capitals are lost on the way, and must not add another."""
    return next((key for key in members if key.lower() == name), name)


def _like(ruled: JsonValue, said: _Said) -> JsonValue:
    """A reference of the type that the rule gives it: types count in what names an asset."""
    if isinstance(ruled, bool):
        return _boolean(said)
    if not isinstance(ruled, int):
        return said.value
    if not INTEGER.fullmatch(said.value):
        raise said.refused("the rule has an integer here: up to 18 digits, no zero in front")
    return int(said.value)


def _boolean(said: _Said) -> bool:
    if said.value not in _BOOLEANS:
        raise said.refused("write true or false")
    return _BOOLEANS[said.value]

"""Every operation of the specification, with a request that is good: routes name themselves."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from tests.safety.sender import Answer, Sender

_COPY = Path(__file__).parents[2] / "docs" / "openapi.json"
ARTIFACT_ID = UUID("01920000-0000-7000-8000-000000000001")
"""Of an artifact that the fixtures register."""
KEY_ID = UUID("01920000-0000-7000-8000-0000000000aa")
"""Stands for a key of the fixtures, whose id is made with it."""
SET_ASIDE_ID = UUID("01920000-0000-7000-8000-0000000000ff")
"""Of a message that the fixtures set aside."""
HOLD_ID = UUID("01920000-0000-7000-8000-00000000ff00")
"""Of a hold that the fixtures place, on nothing that they register."""
RUN_ID = UUID("01920000-0000-7000-8000-00000000ff11")
"""Of a run that the fixtures begin, of a policy that is there no more."""
BUILD_ID = UUID("01920000-0000-7000-8000-0000000b0001")
"""Of a build that the fixtures keep, and an artifact of it."""
BUILD_ARTIFACT_ID = UUID("01920000-0000-7000-8000-0000000b0002")
RESUMED_BUILD_ID = UUID("01920000-0000-7000-8000-0000000b0003")
"""Of a build that is being resumed, and that resume."""
RESUME_ID = UUID("01920000-0000-7000-8000-0000000b0004")
REFERENCES = {"dataset_id": "flood-2024", "resource_id": "site-a"}

_PATH_VALUES = {
    "artifact_id": str(ARTIFACT_ID),
    "key_id": str(KEY_ID),
    "job_id": "job-123",
    "set_aside_id": str(SET_ASIDE_ID),
    "hold_id": str(HOLD_ID),
    "run_id": str(RUN_ID),
    "build_id": str(BUILD_ID),
    "resume_id": str(RESUME_ID),
}
_OF_ITS_PATH = {
    "/api/builds/{build_id}/artifacts/": {"artifact_id": str(BUILD_ARTIFACT_ID)},
    "/api/builds/{build_id}/resumes/": {"build_id": str(RESUMED_BUILD_ID)},
}
"""What stands elsewhere for something else."""
_ITEM_NAMES = {
    "/api/admin/rules": "silver-cogs",
    "/api/admin/policies": "cool-old-revisions",
    "/api/builds/projects": "linux-images",
    "/api/builds/{build_id}/variables": "VM_ID",
}
"""Of the specification's examples, which the fixtures apply."""
_QUERY_VALUES = {"client_type": "ddh", "confirm": "yes"}
"""For parameters that an operation requires; a new one is to be added here."""
_MORE_QUERY = {
    "/api/admin/artifacts/stac": {"stac_collection_id": "cogs", "stac_item_id": "site-a"},
    "/api/admin/artifacts/refs": REFERENCES,
    "/api/admin/artifacts/history": REFERENCES,
}
"""What the specification has no way to require."""


_OF_ITS_OWN: Mapping[str, Mapping[str, Any]] = {
    "POST /api/admin/policies": {"name": "cool-more"},
    "POST /api/builds/{build_id}/artifacts": {"artifact_name": "another"},
}
"""What examples say otherwise: the fixtures have what is of that name."""


@dataclass(frozen=True)
class Draft:
    """A request that may still be changed: text as it is meant, encoded when it is sent."""

    method: str
    path: str
    path_values: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None

    @property
    def target(self) -> str:
        encoded = {name: quote(text, safe="") for name, text in self.path_values.items()}
        path = self.path.format_map(encoded)
        return f"{path}?{urlencode(self.query)}" if self.query else path

    def send(self, sender: Sender) -> Answer:
        headers = [(name.lower().encode(), text.encode()) for name, text in self.headers.items()]
        if self.body is None:
            return sender.send(self.method, self.target, headers)
        headers.append((b"content-type", b"application/json"))
        return sender.send(self.method, self.target, headers, json.dumps(self.body).encode())

    def about(self, key_id: UUID) -> "Draft":
        """The same about a key that exists."""
        if "key_id" not in self.path_values:
            return self
        return replace(self, path_values={**self.path_values, "key_id": str(key_id)})


@dataclass(frozen=True, eq=False)
class Operation:
    method: str
    path: str
    described: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return self.described.get("parameters", [])

    @property
    def body_schema(self) -> Mapping[str, Any] | None:
        """What a JSON body must be; None where none is taken."""
        content = self.described.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if content else None

    def takes(self, path: str) -> bool:
        """Whether a path is one of this operation's."""
        names = re.split(r"\{[^}]*\}", self.path)
        return re.fullmatch("[^/]+".join(map(re.escape, names)), path) is not None

    @property
    def answers_to(self) -> frozenset[int]:
        """Status codes that the specification speaks of."""
        return frozenset(int(status) for status in self.described["responses"])

    def draft(self) -> Draft:
        """A request that is good."""
        path_values = {
            each["name"]: _path_values(self.path)[each["name"]]
            for each in self.parameters
            if each["in"] == "path"
        }
        query = {
            each["name"]: _QUERY_VALUES[each["name"]]
            for each in self.parameters
            if each["in"] == "query" and each["required"]
        }
        query |= _MORE_QUERY.get(self.path, {})
        return Draft(self.method, self.path, path_values, query, body=self._example())

    def _example(self) -> Any:
        if self.body_schema is None:
            return None
        content = self.described["requestBody"]["content"]["application/json"]
        examples = self.body_schema.get("examples") or [content.get("example")]
        return copy.deepcopy(examples[0]) | _OF_ITS_OWN.get(str(self), {})


def _path_values(path: str) -> Mapping[str, str]:
    values = {**_PATH_VALUES, "name": _ITEM_NAMES.get(path.partition("/{name}")[0], "")}
    for beginning, others in _OF_ITS_PATH.items():
        values |= others if path.startswith(beginning) else {}
    return values


@cache
def specification() -> dict[str, Any]:
    """The committed copy, which is what the app serves: another test keeps it so."""
    return json.loads(_COPY.read_text())


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(_operations())


def _operations() -> Iterator[Operation]:
    for path, methods in specification()["paths"].items():
        for method, described in methods.items():
            yield Operation(method.upper(), path, described)


def operation_at(method: str, path: str) -> Operation:
    return next(each for each in operations() if (each.method, each.path) == (method, path))


def taking_bodies() -> list[Operation]:
    return [each for each in operations() if each.body_schema is not None]

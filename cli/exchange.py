"""What goes to a registry and what comes back, whoever carries it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]


class NoRegistry(Exception):
    """What answers is no registry."""


class Unreachable(Exception):
    """Nothing answers, after repeated attempts."""


class Refused(Exception):
    """The registry answered with a problem."""

    def __init__(self, status: int, problem: JsonObject) -> None:
        super().__init__(status)
        self.status = status
        self.problem = problem

    @property
    def line(self) -> str:
        """Title and detail, and which values are at fault."""
        return problem_line(self.problem)


@dataclass(frozen=True)
class Answer:
    """What a request was answered with."""

    status: int
    body: JsonObject
    entity_tag: str | None


def figure(told: JsonObject, name: str, otherwise: str = "the answer holds no figures") -> int:
    """A number that a registry tells; raises NoRegistry where there is none."""
    number = told.get(name)
    if not isinstance(number, int):
        raise NoRegistry(otherwise)
    return number


def json_body(value: JsonValue) -> bytes:
    """Compact JSON. Raises ValueError for numbers that JSON does not have."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def problem_line(problem: Mapping[str, JsonValue]) -> str:
    """Problem details as one line."""
    errors = problem.get("errors")
    values = [
        f"{error.get('pointer')}: {error.get('detail')}"
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    head = f"{problem.get('title')}: {problem.get('detail')}"
    return " ".join("; ".join([head, *values]).split())

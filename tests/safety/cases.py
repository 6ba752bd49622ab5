"""Requests made from the specification: those that it allows, and those that it forbids."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.safety.oddities import filled, odd_in_good, usual
from tests.safety.operations import Draft, Operation, specification

_PARTS = ("path_parameters", "query", "headers", "body")
_CONDITIONS = {"if-match", "if-none-match", "idempotency-key"}
_PLANNED: dict[str, Any] = {
    "unexpected-methods": [],  # they have a test of their own
    "generate-duplicate-query-parameters": True,
    # Nothing else is wrong with a planned request: that something was not found is no refusal.
    "checks": {"negative_data_rejection": {"expected-statuses": [405, 415, 422]}},
}


@cache
def _loaded() -> Any:
    configured: Any = schemathesis.Config
    config = configured.from_dict({"phases": {"coverage": _PLANNED}})
    return schemathesis.openapi.from_dict(specification(), config=config)


def _described(operation: Operation) -> Any:
    return _loaded()[operation.path][operation.method]


def drawn(operation: Operation, mode: GenerationMode) -> st.SearchStrategy[Any]:
    """Requests by chance."""
    return _described(operation).as_strategy(generation_mode=mode)


@lru_cache(maxsize=1)
def planned(operation: Operation, key_id: UUID) -> tuple[list[Any], list[Any]]:
    """One request for each thing that is said of each parameter and of each member of a body.

    Every value of a list, both sides of every bound, each type in the place of another, each part
    left out. Whatever else a request holds is that of the good one: nothing but what it is about
    decides about its answer. First those that the specification allows, then the others.
    """
    good = operation.draft().about(key_id)
    cases = _systematic(operation)
    usually = {name: usual([_part(case, name) for case in cases]) for name in _PARTS}
    known = {"path_parameters": good.path_values, "query": good.query, "headers": good.headers}
    known |= {} if good.body is None else {"body": good.body}
    # What a case is said to be may change once it is put into a good request.
    forbidden = [case for case in cases if _is(case, GenerationMode.NEGATIVE)]
    allowed = [case for case in cases if _is(case, GenerationMode.POSITIVE)]
    usual_ones = list(_filled(operation, cases, known))
    for case in cases:
        for name, value in known.items():
            setattr(case, name, odd_in_good(value, _part(case, name), usually[name]))
    return list(filter(can_be_sent, usual_ones + allowed)), list(filter(can_be_sent, forbidden))


def _filled(operation: Operation, cases: Sequence[Any], known: Mapping[str, Any]) -> Iterator[Any]:
    """What is usual is odd nowhere: it is asked for by itself where the good request lacks it."""
    allowed = [case for case in cases if _is(case, GenerationMode.POSITIVE)]
    for name in sorted(known.keys() & {"query", "body"}):
        every: list[Any] = [_part(case, name) for case in allowed]
        parts: list[Mapping[str, Any]] = [each for each in every if isinstance(each, dict)]
        for value in filled(known[name], max(parts, key=len)):
            yield _described(operation).Case(
                media_type=cases[0].media_type, **{**known, name: value}
            )


def _systematic(operation: Operation) -> list[Any]:
    described = _described(operation)
    config = described.schema.config.generation_for(operation=described, phase="coverage")
    cases = described.schema.iter_coverage_cases(
        described, generation_modes=list(GenerationMode), generation_config=config
    )
    return list(cases)


def _is(case: Any, mode: GenerationMode) -> bool:
    return case.meta.generation.mode is mode


def _part(case: Any, name: str) -> Any:
    return case.body if name == "body" else dict(getattr(case, name) or {})


def can_be_sent(case: Any) -> bool:
    """Not `.` and `..`, which clients resolve; nor what no route's path matches, a line break."""
    values: dict[str, Any] = case.path_parameters or {}
    texts = [unquote(str(value)) for value in values.values()]
    return not any(text in {".", ".."} or "\n" in text for text in texts)


def aim(case: Any, known: Draft) -> None:
    """At what exists: made-up ids, references and entity tags find nothing and end there."""
    headers: dict[str, Any] = case.headers or {}
    case.path_parameters = dict(known.path_values)
    case.query = {**(case.query or {}), **known.query}
    case.headers = {name: headers[name] for name in headers if name.lower() not in _CONDITIONS}

"""A batch of registrations, over HTTP: what is not valid is told beside what came of the others."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError

from functions.http.artifact_bodies import BatchAnswer, BatchRequest, BatchResult
from functions.http.entry import Entry
from functions.http.handlers import invalid_fields, problem_members_of
from functions.http.idempotency_keys import read_idempotency_key
from functions.http.problems import INVALID_INPUT, Refusal, problem_members
from shared.errors import RegistryError
from shared.models.artifacts import ArtifactRegistration
from shared.models.registrations import BatchItem, Outcome

Invalid = Mapping[int, Sequence[Any]]
"""Position in the batch to what pydantic found wrong there."""


def register(entry: Entry, batch: BatchRequest, idempotency_key: str | None) -> BatchAnswer:
    """Register a batch.

    Raises RequestValidationError where it is atomic and some of it is not valid, and what
    `ArtifactService.register_batch` raises.
    """
    valid, invalid = _validate(batch.artifacts)
    if batch.atomic and invalid:
        raise RequestValidationError([error for errors in invalid.values() for error in errors])
    items = iter(_register_valid(entry, batch, valid, idempotency_key))
    request_id = entry.request.state.request_id
    results = [
        _invalid_result(request_id, invalid[place])
        if place in invalid
        else _result(request_id, place, next(items))
        for place in range(len(batch.artifacts))
    ]
    entry.request.state.refusal = _refusal(results)
    return _answer(results)


def _refusal(results: Sequence[BatchResult]) -> Refusal | None:
    """What the audit trail is told: the places of all that failed, by why; None where none did."""
    failed: dict[str, list[int]] = {}
    for place, result in enumerate(results):
        problem = _problem_of(result)
        if problem is not None:
            failed.setdefault(str(problem["type"]).rpartition(":")[2], []).append(place)
    if not failed:
        return None
    count = sum(map(len, failed.values()))
    detail = f"{count} of {len(results)} artifacts were not registered."
    return Refusal("items-refused", detail, {"places": failed})


def _validate(items: Sequence[object]) -> tuple[list[ArtifactRegistration], Invalid]:
    valid: list[ArtifactRegistration] = []
    invalid: dict[int, Sequence[Any]] = {}
    for place, item in enumerate(items):
        try:
            valid.append(ArtifactRegistration.model_validate(item))
        except ValidationError as fault:
            invalid[place] = [
                {**error, "loc": ("body", "artifacts", place, *error["loc"])}
                for error in fault.errors(include_url=False, include_input=False)
            ]
    return valid, invalid


def _register_valid(
    entry: Entry,
    batch: BatchRequest,
    valid: Sequence[ArtifactRegistration],
    idempotency_key: str | None,
) -> Sequence[BatchItem]:
    if not valid:
        return []
    key = read_idempotency_key(entry, idempotency_key)
    return entry.registry.artifacts.register_batch(
        valid, entry.origin, atomic=batch.atomic, idempotency=key
    )


def _result(request_id: str, place: int, item: BatchItem) -> BatchResult:
    if item.registration is None:
        fault = item.error or RegistryError()
        return _failed(problem_members_of(fault, request_id, within=("artifacts", place)))
    is_new = item.registration.outcome is Outcome.CREATED
    return BatchResult.model_construct(
        status="created" if is_new else "unchanged",
        artifact=item.registration.artifact,
        problem=None,
    )


def _invalid_result(request_id: str, errors: Sequence[Any]) -> BatchResult:
    detail, fields = invalid_fields(errors)
    return _failed(problem_members(INVALID_INPUT, request_id, detail, {"errors": fields}))


def _failed(problem: Mapping[str, JsonValue]) -> BatchResult:
    return BatchResult.model_construct(status="failed", artifact=None, problem=dict(problem))


def _problem_of(result: BatchResult) -> Mapping[str, JsonValue] | None:
    return cast("Mapping[str, JsonValue] | None", result.problem)  # as `_failed` made it


def _answer(results: list[BatchResult]) -> BatchAnswer:
    ended = [result.status for result in results]
    return BatchAnswer.model_construct(
        results=results,
        created=ended.count("created"),
        unchanged=ended.count("unchanged"),
        failed=ended.count("failed"),
    )

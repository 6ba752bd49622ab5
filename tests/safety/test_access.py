"""Who may do what: every operation that the specification has, with every set of scopes."""

import asyncio
from dataclasses import replace
from itertools import combinations
from uuid import UUID

import pytest
from fastapi import FastAPI

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.safety.operations import Draft, Operation, operations
from tests.safety.sender import Answer, Sender

SCOPE_SETS = [
    pytest.param(list(each), marks=[pytest.mark.long] if count == 2 else [])
    for count in range(4)
    for each in combinations(Scope, count)
]
"""Two together are what each is alone, or all three would be otherwise."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
NOT_GOOD = {
    "no credential": {},
    "empty key": {"X-API-Key": ""},
    "no key of ours": {"X-API-Key": "password"},
    "a key that nobody has": {"X-API-Key": "ark_" + "A" * 43},
    "a scheme of its own": {"Authorization": "Basic YTpi"},
    "no token": {"Authorization": "Bearer"},
    "a token of nobody": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."},
    "a key as a token": {"Authorization": "Bearer ark_" + "A" * 43},
    "a cookie": {"Cookie": "X-API-Key=ark_" + "A" * 43},
}
OPEN = {
    "GET /api/health/live",
    "GET /api/health/ready",
    "GET /api/openapi.json",
    "GET /api/docs",
}
"""What docs/http.md gives to anybody. Whatever is not here needs a credential."""
WITH_A_BODY_BUT_NO_CHANGE = {
    "POST /api/v1/artifacts/overwrite-decision",
    "POST /api/admin/rules/test",
    "POST /api/admin/policies/simulate",
}
FOR_OPERATORS = ("/api/admin/", "/api/builds/projects")
FOR_PIPELINES = ("/api/v1/", "/api/builds")
WITH_WHAT_OTHERS_WROTE = {
    "GET /api/admin/ingest/failures/{set_aside_id}",
    "GET /api/admin/audit",
    "GET /api/admin/audit/errors",
}


def needed(operation: Operation) -> Scope | None:
    """What docs/http.md says: `read` to look, `write` for pipelines, `admin` for operators."""
    if str(operation) in OPEN:
        return None
    if operation.path.startswith("/api/admin/keys") or str(operation) in WITH_WHAT_OTHERS_WROTE:
        return Scope.ADMIN
    if operation.method == "GET" or str(operation) in WITH_A_BODY_BUT_NO_CHANGE:
        return Scope.READ
    if operation.path.startswith(FOR_OPERATORS):
        return Scope.ADMIN
    assert operation.path.startswith(FOR_PIPELINES), f"say who may use {operation}"
    return Scope.WRITE


def guarded() -> list[Operation]:
    return [each for each in operations() if needed(each) is not None]


def is_let_in(answer: Answer) -> bool:
    """Not whether it succeeds: what keeps out answers 401 and 403, and nothing else does."""
    assert answer.status < 500, answer.body
    return answer.status not in {401, 403}


def granting_nothing(draft: Draft) -> Draft:
    """No key gives a scope that it lacks itself, which is another rule than this one."""
    if draft.path != "/api/admin/keys" or draft.body is None:
        return draft
    return replace(draft, body={**draft.body, "scopes": []})


@pytest.mark.parametrize("scopes", SCOPE_SETS, ids=lambda scopes: "+".join(scopes) or "none")
def test_a_key_opens_exactly_what_its_scopes_are_for(
    app: FastAPI, runner: asyncio.Runner, registry: Registry, key_id: UUID, scopes: list[Scope]
) -> None:
    holder = Sender(app, runner, registry.keys.create("holder", scopes).text)
    answers = {
        each: granting_nothing(each.draft()).about(key_id).send(holder) for each in operations()
    }
    let_in = {str(each) for each, answer in answers.items() if is_let_in(answer)}
    assert let_in == {str(each) for each in operations() if needed(each) in {None, *scopes}}
    for answer in answers.values():
        if not is_let_in(answer):
            assert answer.problem()["type"].endswith(":scope-missing")


def test_whoever_is_not_known_gets_one_answer_from_every_operation(
    stranger: Sender, key_id: UUID
) -> None:
    for name, headers in NOT_GOOD.items():
        told: set[tuple[object, ...]] = set()
        for operation in guarded():
            draft = operation.draft().about(key_id)
            answer = replace(draft, headers=headers).send(stranger)
            assert answer.status == 401, (name, operation, answer.body)
            problem = answer.problem()
            assert answer.header("www-authenticate")
            told.add(tuple(problem[member] for member in ("type", "title", "detail")))
        assert len(told) == 1, name


def test_whoever_is_not_known_learns_nothing_from_a_request_that_is_wrong(
    stranger: Sender, key_id: UUID
) -> None:
    """What is wrong with a body, an id or a parameter is told to those only who may ask."""
    for operation in guarded():
        target = operation.draft().about(key_id).target.partition("?")[0]
        for wrong in (f"{target}?limit=x&confirm=no", f"{target}?limit=1&limit=1"):
            headers = [(b"content-type", b"application/json")]
            answer = stranger.send(operation.method, wrong, headers, b"{")
            assert answer.status == 401, (operation, answer.body)


def test_what_is_open_answers_anybody(stranger: Sender) -> None:
    documented = {str(each): each for each in operations() if str(each) in OPEN}
    for operation in documented.values():
        assert operation.draft().send(stranger).status == 200
    for path in ("/api/openapi.json", "/api/docs"):
        assert stranger.send("GET", path).status == 200


def test_the_specification_says_which_operations_need_a_credential() -> None:
    for operation in operations():
        needs_none = operation.described.get("security", []) == []
        assert needs_none == (needed(operation) is None), operation


def test_a_method_that_is_not_documented_is_refused(sender: Sender, key_id: UUID) -> None:
    for target in {each.draft().about(key_id).target.partition("?")[0] for each in operations()}:
        documented = {each.method for each in operations() if each.takes(target)}
        for method in set(METHODS) - documented:
            answer = sender.send(method, target)
            assert answer.status == 405, (method, target, answer.body)
            assert answer.problem()["type"].endswith(":method-not-allowed")
            allowed = {name.strip() for name in (answer.header("allow") or "").split(",")}
            assert allowed, (method, target)
            assert allowed <= documented, (method, target)


def test_a_path_that_is_not_documented_is_a_problem(sender: Sender) -> None:
    unknown = ("/", "/api", "/api/", "/api/v1", "/api/admin/artifacts/", "/api/v1/artifacts/a/b/c")
    for path in unknown:
        answer = sender.send("GET", path)
        assert answer.status in {404, 405, 422}, path
        answer.problem()

"""Every error of the registry has its place among the problems."""

import inspect
import json

import pytest
from fastapi import FastAPI

from functions.http.faults import FAULTS, problem_of
from functions.http.handlers import add_handlers
from functions.http.middleware import LastResort, RequestIds
from functions.http.problems import INTERNAL_ERROR, http_problem
from shared import errors
from tests.integration.http.caller import Caller, pointers, problem

RAISED: list[tuple[errors.RegistryError, int, str]] = [
    (errors.InvalidInput("Too long.", "/name"), 422, "invalid-input"),
    (errors.MalformedMessage(), 400, "malformed"),
    (errors.ArtifactNotFound(), 404, "artifact-not-found"),
    (errors.ArtifactConflict(errors.UUID(int=7)), 409, "artifact-conflict"),
    (errors.InvalidTransition(), 409, "invalid-transition"),
    (errors.BatchRefused({}), 409, "batch-refused"),
    (errors.IdempotencyKeyReused(), 422, "idempotency-key-reused"),
    (errors.RequestInFlight(), 409, "request-in-flight"),
    (errors.PreconditionFailed(), 412, "precondition-failed"),
    (errors.ArtifactHeld(errors.UUID(int=7)), 409, "artifact-held"),
    (errors.ArtifactRetained("keep"), 409, "artifact-retained"),
    (errors.AssetNotFound(), 404, "asset-not-found"),
    (errors.HoldNotFound(), 404, "hold-not-found"),
    (errors.LocationShared(), 409, "location-shared"),
    (errors.BytesNotServed(), 409, "bytes-not-served"),
    (errors.BytesUncertain(), 409, "bytes-uncertain"),
    (errors.TooManyMatches(), 422, "too-many-matches"),
    (errors.KeyNotFound(), 404, "key-not-found"),
    (errors.KeyEnded(), 409, "key-ended"),
    (errors.RuleNotFound(), 404, "rule-not-found"),
    (errors.PolicyNotFound(), 404, "policy-not-found"),
    (errors.PolicyRunNotFound(), 404, "policy-run-not-found"),
    (errors.PolicyExists(), 409, "policy-exists"),
    (errors.PolicyLocked(), 409, "policy-locked"),
    (errors.BuildNotFound(), 404, "build-not-found"),
    (errors.BuildExists(errors.UUID(int=7)), 409, "build-exists"),
    (errors.BuildStateRefused(), 409, "build-state-refused"),
    (errors.ResumeNotFound(), 404, "resume-not-found"),
    (errors.ResumeUnderWay(errors.UUID(int=7)), 409, "resume-under-way"),
    (errors.ResumeNotPossible(["this", "that"]), 409, "resume-not-possible"),
    (errors.ArtifactNameTaken(errors.UUID(int=7)), 409, "artifact-name-taken"),
    (errors.ProjectNotFound(), 404, "project-not-found"),
    (errors.VariableNotFound(), 404, "variable-not-found"),
    (errors.FailureNotFound(), 404, "failure-not-found"),
    (errors.FailureEnded(), 409, "failure-ended"),
    (errors.NotReplayable(), 409, "not-replayable"),
    (errors.SealConflict(), 409, "seal-conflict"),
    (errors.BlobNotFound(), 422, "blob-not-found"),
    (errors.BlobUnreadable(), 409, "blob-unreadable"),
    (errors.StorageAccountNotAllowed(), 422, "storage-account-not-allowed"),
    (errors.TableNotAllowed(), 422, "table-not-allowed"),
    (errors.TableNotFound(), 422, "table-not-found"),
    (errors.TableUnreadable(), 409, "table-unreadable"),
    (errors.Retryable(), 503, "unavailable"),
    (errors.BlobChanged(), 503, "blob-changed"),
    (errors.DatabaseUnavailable(), 503, "database-unavailable"),
    (errors.StorageUnavailable(), 503, "storage-unavailable"),
    (errors.TableSourceUnavailable(), 503, "table-source-unavailable"),
    (errors.RulesUnreadable(), 503, "rules-unreadable"),
    (errors.PolicyUnreadable(), 503, "policy-unreadable"),
    (errors.IssuerUnavailable(), 503, "issuer-unavailable"),
    (errors.KeyRejected(), 401, "key-rejected"),
    (errors.ScopeMissing(), 403, "scope-missing"),
]


def registry_errors() -> set[type[errors.RegistryError]]:
    return {
        member
        for _, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, errors.RegistryError)
    }


def answer_to(fault: Exception) -> Caller:
    app = FastAPI()
    add_handlers(app)

    async def fail() -> None:
        raise fault

    app.add_api_route("/", fail)
    app.add_middleware(LastResort)
    app.add_middleware(RequestIds)
    return Caller(app)


def test_every_error_has_an_entry_and_nothing_else_does() -> None:
    assert set(FAULTS) == registry_errors()


def test_every_error_is_raised_below() -> None:
    assert {type(fault) for fault, *_ in RAISED} == registry_errors() - {errors.RegistryError}


def test_no_two_errors_share_a_type() -> None:
    uris = [kind.uri for kind in FAULTS.values()]
    assert len(set(uris)) == len(uris)


@pytest.mark.parametrize(
    ("fault", "status", "name"), RAISED, ids=[type(fault).__name__ for fault, *_ in RAISED]
)
def test_an_error_becomes_its_problem(fault: errors.RegistryError, status: int, name: str) -> None:
    found = answer_to(fault).get("/")
    assert problem(found, status, name)["detail"] == fault.summary
    assert ("retry-after" in found.headers) == isinstance(fault, errors.Retryable)
    assert ("www-authenticate" in found.headers) == isinstance(fault, errors.KeyRejected)


def test_a_conflict_names_the_artifact_in_the_way() -> None:
    fault = errors.ArtifactConflict(errors.UUID(int=7))
    told = problem(answer_to(fault).get("/"), 409, "artifact-conflict")
    assert told["current_artifact_id"] == str(errors.UUID(int=7))


@pytest.mark.parametrize(
    ("fault", "member", "value"),
    [
        (errors.ArtifactHeld(errors.UUID(int=7)), "hold_id", str(errors.UUID(int=7))),
        (errors.ArtifactRetained("keep"), "policy", "keep"),
        (errors.BuildExists(errors.UUID(int=7)), "build_id", str(errors.UUID(int=7))),
        (errors.ResumeUnderWay(errors.UUID(int=7)), "resume_id", str(errors.UUID(int=7))),
        (errors.ResumeNotPossible(["this", "that"]), "missing", ["this", "that"]),
        (errors.ArtifactNameTaken(errors.UUID(int=7)), "artifact_id", str(errors.UUID(int=7))),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_stands_in_the_way_is_named(
    fault: errors.RegistryError, member: str, value: object
) -> None:
    assert answer_to(fault).get("/").json()[member] == value


def test_an_invalid_value_is_pointed_at_where_it_is_known() -> None:
    told = problem(answer_to(errors.InvalidInput("No.", "/a")).get("/"), 422, "invalid-input")
    assert (pointers(told), told["errors"][0]["detail"]) == (["/a"], "No.")
    assert "errors" not in answer_to(errors.InvalidInput("No.")).get("/").json()


def test_an_error_that_nobody_mapped_is_an_internal_one() -> None:
    class Unmapped(errors.ArtifactNotFound):
        """Made up here."""

    assert problem_of(Unmapped()) is INTERNAL_ERROR
    told = problem(answer_to(Unmapped("a secret")).get("/"), 500, "internal-error")
    assert "a secret" not in told["detail"]


def test_text_that_utf_8_cannot_hold_is_told_all_the_same() -> None:
    found = answer_to(errors.InvalidInput("\ud800", "/\udfff")).get("/")
    assert json.loads(found.content)["errors"] == [{"pointer": "/\udfff", "detail": "\ud800"}]


def test_plain_statuses_have_types_too() -> None:
    kind = http_problem(405)
    assert kind.uri == "urn:artifact-registry:problem:method-not-allowed"
    assert kind.title == "Method Not Allowed"
    assert http_problem(418).uri == "urn:artifact-registry:problem:status-418"

"""What policies would do, and runs of them: begun, listed, followed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from functions.http.answers import json_answer
from functions.http.document_answers import DryRun
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.examples import ARTIFACT_ID
from functions.http.guarded_route import AdminRoute
from functions.http.parameters import DEFAULT_PAGE, Cursor, Limit
from functions.http.policies import PREFIX, PolicyName
from shared import errors
from shared.models.ids import IdInput
from shared.models.policy_previews import PolicyPreview
from shared.models.policy_runs import PolicyRun, PolicyRunPage, RunStatus
from shared.models.rule_fields import RuleName

_RUNS = "/api/admin/policy-runs"
_PREVIEW: dict[str, Any] = {
    "candidates": [
        {
            "artifact_id": ARTIFACT_ID,
            "reason": "cool-old-revisions: superseded 2026-01-22T09:30:00+00:00, "
            "revision 3 from the newest",
            "due_at": "2026-02-21T09:30:00Z",
            "bytes_freed": 52428800,
            "warnings": ["early deletion charge: 12 of 30 days in the tier Cool"],
        }
    ],
    "total": 1,
    "bytes_freed": 52428800,
    "refused": [{"artifact_id": "0198b1c0-55aa-7c11-8d2e-6f0a9b3c4d5e", "reason": "hold"}],
    "next": None,
}
_RUNNING: dict[str, Any] = {
    "run_id": "0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e93",
    "policy": "cool-old-revisions",
    "status": "running",
    "dry_run": False,
    "selected": 240,
    "acted": 100,
    "bytes": 5242880000,
    "refused": {"hold": 2, "shared location": 31},
    "errors": 1,
    "last_errors": [{"artifact_id": ARTIFACT_ID, "detail": "There is no such blob."}],
    "started_by": "key:0198c2a4-7b1e-7d52-9f3a-2d1b7f6c8e92",
    "started_at": "2026-02-22T09:30:00Z",
    "ended_at": None,
    "skipped_for": None,
}
_FINISHED = _RUNNING | {
    "status": "finished",
    "acted": 239,
    "bytes": 12530483200,
    "ended_at": "2026-02-22T09:31:15Z",
}

OfPolicy = Annotated[RuleName | None, Query(description="Only runs of this policy.")]

router = APIRouter(prefix=PREFIX, tags=["policies"], route_class=AdminRoute)
runs = APIRouter(prefix=_RUNS, tags=["policies"], route_class=AdminRoute)


@router.get(
    "/{name}/preview",
    responses=problems(errors.PolicyNotFound, errors.PolicyUnreadable)
    | answer(PolicyPreview, "Part of what the policy would do.", _PREVIEW),
)
def preview_policy(
    entry: Entrance, name: PolicyName, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> Response:
    """What a policy would do now, and what it would leave alone although it is due.

    `limit` is how many of what is due are looked at: a page may hold less, or nothing, while `next`
    leads on.
    """
    policy = entry.registry.policies.in_force(name)
    page = entry.registry.enforcement.previews.preview(policy, limit=limit, cursor=cursor)
    return json_answer(page)


@router.post(
    "/{name}/run",
    responses=problems(errors.PolicyNotFound, errors.PolicyUnreadable)
    | answer(PolicyRun, "The run, which has ended.", _FINISHED)
    | answer(PolicyRun, "The run, which goes on.", _RUNNING, status=202, headers=["Location"]),
)
def run_policy(entry: Entrance, name: PolicyName, dry_run: DryRun = False) -> Response:
    """Run a policy now, also one that is not enabled.

    What takes longer than some seconds goes on by itself; the run says how far it is. Where another
    run of the policy is under way, this one is skipped. A dry run changes nothing.
    """
    run = entry.registry.enforcement.runs.run(name, entry.origin, dry_run=dry_run)
    if run.status is RunStatus.RUNNING:
        return json_answer(run, 202, {"Location": f"{_RUNS}/{run.run_id}"})
    return json_answer(run)


@runs.get(
    "",
    responses=problems()
    | answer(PolicyRunPage, "A page of runs.", {"runs": [_FINISHED], "next": None}),
)
def list_policy_runs(
    entry: Entrance, policy: OfPolicy = None, limit: Limit = DEFAULT_PAGE, cursor: Cursor = None
) -> Response:
    """Runs, newest first; also those of policies that are there no more."""
    page = entry.registry.enforcement.runs.list_runs(policy, limit=limit, cursor=cursor)
    return json_answer(page)


@runs.get(
    "/{run_id}",
    responses=problems(errors.PolicyRunNotFound) | answer(PolicyRun, "The run.", _FINISHED),
)
def get_policy_run(entry: Entrance, run_id: IdInput) -> Response:
    """One run. While it goes on, it counts what is done so far."""
    return json_answer(entry.registry.enforcement.runs.get(run_id))

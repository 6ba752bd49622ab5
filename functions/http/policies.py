"""Policies: what is to be archived, deleted or purged; looked at and changed."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from functions.http.admin_changes import Confirmation
from functions.http.conditions import IfMatch
from functions.http.document_answers import ETAG, DryRun, document_answer, item_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import AdminRoute
from functions.http.policy_bodies import (
    CHANGES,
    POLICY,
    PolicyListRequest,
    PolicyRequest,
    read_policies,
)
from shared import errors
from shared.models.policies import Policy
from shared.models.policy_files import KeptPolicy, PolicyChanges, PolicyFile
from shared.models.rule_fields import RuleName
from shared.services.policies import version_tag

PREFIX = "/api/admin/policies"

PolicyName = Annotated[RuleName, Path()]

router = APIRouter(prefix=PREFIX, tags=["policies"], route_class=AdminRoute)


@router.get(
    "",
    responses=problems()
    | answer(PolicyFile, "All policies.", {"version": 17, "policies": [POLICY]}, headers=ETAG),
)
def list_policies(entry: Entrance) -> Response:
    """All policies, by name: one document of one version, which is its ETag."""
    file = entry.registry.policies.read()
    return document_answer(file, version_tag(file.version))


@router.put(
    "",
    responses=problems(errors.PreconditionFailed, errors.PolicyLocked, takes_body=True)
    | answer(PolicyChanges, "What was changed.", CHANGES, headers=ETAG),
)
def apply_policies(
    entry: Entrance,
    asked: Annotated[PolicyListRequest, Body(examples=[{"policies": [POLICY]}])],
    if_match: IfMatch,
    dry_run: DryRun = False,
) -> Response:
    """Make these all policies that there are; policies that are not among them are removed.

    The ETag is that of the policies then kept. With that of a dry run in `If-Match`, what is
    changed is what was told.
    """
    policies = read_policies(asked.policies)
    changes = entry.registry.policies.apply(
        policies, entry.origin, if_match=if_match, dry_run=dry_run
    )
    return document_answer(changes, version_tag(changes.version))


@router.post(
    "",
    responses=problems(errors.PolicyExists, takes_body=True)
    | answer(
        Policy, "The policy, which was added.", POLICY, status=201, headers=["ETag", "Location"]
    ),
)
def create_policy(
    entry: Entrance, policy: Annotated[PolicyRequest, Body(examples=[POLICY])]
) -> Response:
    """Add one policy, whose name nothing has yet."""
    entry.registry.policies.create(policy, entry.origin)
    return item_answer(policy, 201, location=f"{PREFIX}/{policy.name}")


@router.get(
    "/{name}",
    responses=problems(errors.PolicyNotFound)
    | answer(KeptPolicy, "The policy.", POLICY, headers=ETAG),
)
def get_policy(entry: Entrance, name: PolicyName) -> Response:
    """One policy."""
    return item_answer(entry.registry.policies.get(name))


@router.put(
    "/{name}",
    responses=problems(errors.PreconditionFailed, errors.PolicyLocked, takes_body=True)
    | answer(Policy, "The policy, which was changed or was so.", POLICY, headers=ETAG)
    | answer(Policy, "The policy, which was added.", POLICY, status=201, headers=ETAG),
)
def put_policy(
    entry: Entrance,
    name: PolicyName,
    policy: Annotated[PolicyRequest, Body(examples=[POLICY])],
    if_match: IfMatch,
) -> Response:
    """Add one policy, or replace it; one that is locked only by one that retains as much."""
    if policy.name != name:
        raise errors.InvalidInput("The policy has another name than the path.", "/name")
    changes = entry.registry.policies.put(policy, entry.origin, if_match=if_match)
    return item_answer(policy, 201 if changes.added else 200)


@router.delete(
    "/{name}",
    responses=problems(errors.PolicyNotFound, errors.PreconditionFailed, errors.PolicyLocked)
    | answer(
        PolicyChanges,
        "What was changed.",
        CHANGES | {"added": [], "removed": [POLICY]},
        headers=ETAG,
    ),
)
def remove_policy(
    entry: Entrance, name: PolicyName, confirm: Confirmation, if_match: IfMatch
) -> Response:
    """Forget one policy; what was done by it stays done. The ETag is that of all policies."""
    del confirm
    changes = entry.registry.policies.remove(name, entry.origin, if_match=if_match)
    return document_answer(changes, version_tag(changes.version))

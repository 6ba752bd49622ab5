"""Ingestion rules: what uploads are, looked at, tried and changed."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from functions.http.admin_changes import Confirmation
from functions.http.answers import json_answer
from functions.http.conditions import IfMatch
from functions.http.document_answers import ETAG, DryRun, document_answer, item_answer
from functions.http.documented import answer, problems
from functions.http.entry import Entrance
from functions.http.guarded_route import AdminRoute, QuestionRoute
from functions.http.rule_bodies import (
    CHANGES,
    RULE,
    TRIAL,
    TRIAL_ASKED,
    RuleListRequest,
    RuleRequest,
    TrialRequest,
    read_rules,
)
from shared import errors
from shared.models.rule_fields import RuleName
from shared.models.rule_files import KeptRule, RuleChanges, RuleFile
from shared.models.rule_trials import RuleTrial
from shared.models.rules import IngestionRule
from shared.services.rules import version_tag

_PREFIX = "/api/admin/rules"

Name = Annotated[RuleName, Path()]

router = APIRouter(prefix=_PREFIX, tags=["rules"], route_class=AdminRoute)
questions = APIRouter(prefix=_PREFIX, tags=["rules"], route_class=QuestionRoute)


@router.get(
    "",
    responses=problems()
    | answer(RuleFile, "All rules.", {"version": 17, "rules": [RULE]}, headers=ETAG),
)
def list_rules(entry: Entrance) -> Response:
    """All rules that are in force, by name: one document of one version, which is its ETag."""
    file = entry.registry.rules.read()
    return document_answer(file, version_tag(file.version))


@router.put(
    "",
    responses=problems(errors.PreconditionFailed, takes_body=True)
    | answer(RuleChanges, "What was changed.", CHANGES, headers=ETAG),
)
def apply_rules(
    entry: Entrance,
    asked: Annotated[RuleListRequest, Body(examples=[{"rules": [RULE]}])],
    if_match: IfMatch,
    dry_run: DryRun = False,
) -> Response:
    """Make these all the rules that are in force; rules that are not among them are removed.

    The ETag is that of the rules then in force. With that of a dry run in `If-Match`, what is
    changed is what was told.
    """
    rules = read_rules(asked.rules)
    changes = entry.registry.rules.apply(rules, entry.origin, if_match=if_match, dry_run=dry_run)
    return document_answer(changes, version_tag(changes.version))


@questions.post(
    "/test",
    responses=problems(errors.RulesUnreadable, takes_body=True)
    | answer(RuleTrial, "What would be registered, or why nothing.", TRIAL),
)
def try_rules(
    entry: Entrance, asked: Annotated[TrialRequest, Body(examples=[TRIAL_ASKED])]
) -> Response:
    """Which rule an upload would meet, what it extracts, and what would be registered."""
    rules = None if asked.rules is None else read_rules(asked.rules)
    trial = entry.registry.rules.try_rule(
        asked.account, asked.container, asked.path, asked.metadata, asked.tags, rules
    )
    return json_answer(trial)


@router.get(
    "/{name}",
    responses=problems(errors.RuleNotFound) | answer(KeptRule, "The rule.", RULE, headers=ETAG),
)
def get_rule(entry: Entrance, name: Name) -> Response:
    """One rule."""
    return item_answer(entry.registry.rules.get(name))


@router.put(
    "/{name}",
    responses=problems(errors.PreconditionFailed, takes_body=True)
    | answer(IngestionRule, "The rule, which was changed or was so.", RULE, headers=ETAG)
    | answer(IngestionRule, "The rule, which was added.", RULE, status=201, headers=ETAG),
)
def put_rule(
    entry: Entrance,
    name: Name,
    rule: Annotated[RuleRequest, Body(examples=[RULE])],
    if_match: IfMatch,
) -> Response:
    """Add one rule, or replace it."""
    if rule.name != name:
        raise errors.InvalidInput("The rule has another name than the path.", "/name")
    changes = entry.registry.rules.put(rule, entry.origin, if_match=if_match)
    return item_answer(rule, 201 if changes.added else 200)


@router.delete(
    "/{name}",
    responses=problems(errors.RuleNotFound, errors.PreconditionFailed)
    | answer(
        RuleChanges, "What was changed.", CHANGES | {"added": [], "removed": [RULE]}, headers=ETAG
    ),
)
def remove_rule(entry: Entrance, name: Name, confirm: Confirmation, if_match: IfMatch) -> Response:
    """Forget one rule; what was registered by it stays. The ETag is that of all rules."""
    del confirm
    changes = entry.registry.rules.remove(name, entry.origin, if_match=if_match)
    return document_answer(changes, version_tag(changes.version))

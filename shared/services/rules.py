"""Ingestion rules: in force, changed, and tried."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import InvalidInput, PreconditionFailed, RuleNotFound, RulesUnreadable
from shared.models.blobs import BlobReference
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.models.rule_files import KeptRule, RuleChanges, RuleFile, compare_rules
from shared.models.rule_trials import RefusedUpload, RuleTrial
from shared.models.rules import MAXIMUM_RULES, IngestionRule, RuleList, RuleSet
from shared.models.uploads import registration_of
from shared.repositories.rules import RuleRepository
from shared.services.transitions import ANY_STATE, require_state

MAXIMUM_BYTES = 1_000_000
"""Of all rules as JSON: whatever can be exported fits into the request that applies it."""

Tags = Collection[str] | None


class RuleService:
    """All rules are one document of one version.

    Every change is one transaction, advances the version, and writes one audit event a rule.
    Changing nothing leaves no trace. Rules that only another version of the registry can read are
    shown and replaced like any, but nobody goes by them. `if_match` holds entity tags of the states
    in which the change is wanted; PreconditionFailed is raised in every other.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], accounts: Sequence[str] = ()
    ) -> None:
        """`accounts` are those that the registry serves: trials are about the first of them."""
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._known: tuple[int, RuleSet] | None = None
        self._reading = Lock()

    def current(self) -> RuleSet:
        """The rules that are in force now, ready to be matched.

        Every call asks for the version, by primary key; rules are read anew where it is another.
        Raises RulesUnreadable: to go by some of the rules would register what others are to.
        """
        with self._database.connection() as connection:
            version = RuleRepository(connection).version()
        with self._reading:  # one thread reads for all: it may take a second
            if self._known is None or self._known[0] != version:
                file = self.read()
                self._known = file.version, RuleSet(_readable(file))
            return self._known[1]

    def read(self) -> RuleFile:
        """The rules that are in force, by name."""
        with self._database.connection() as connection:
            return RuleRepository(connection).read()

    def get(self, name: str) -> KeptRule:
        """One rule; raises RuleNotFound."""
        with self._database.connection() as connection:
            rule = RuleRepository(connection).get(name)
        if rule is None:
            raise RuleNotFound
        return rule

    def apply(
        self,
        rules: RuleList,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Tags = None,
        dry_run: bool = False,
    ) -> RuleChanges:
        """Make these the rules that are in force, all of them; entity tags are `version_tag`s.

        A dry run only tells what would change, and the version that it compared with. Raises
        InvalidInput for rules that are too large.
        """

        def wanted(seen: RuleFile) -> Sequence[KeptRule]:
            if if_match is not None and not {ANY_STATE, version_tag(seen.version)} & {*if_match}:
                raise PreconditionFailed
            return rules.rules

        return self._change(wanted, origin, dry_run=dry_run)

    def put(
        self, rule: IngestionRule, origin: Origin = UNATTRIBUTED, *, if_match: Tags = None
    ) -> RuleChanges:
        """Add one rule, or replace that of its name; entity tags are those of this rule.

        Raises PreconditionFailed where there is a condition but no such rule.
        """

        def wanted(seen: RuleFile) -> Sequence[KeptRule]:
            present, others = _part(seen, rule.name)
            if if_match is not None and present is None:
                raise PreconditionFailed
            if present is not None:
                require_state(present, if_match)
            return [*others, rule]

        return self._change(wanted, origin)

    def remove(
        self, name: str, origin: Origin = UNATTRIBUTED, *, if_match: Tags = None
    ) -> RuleChanges:
        """Forget one rule; entity tags are those of this rule. Raises RuleNotFound."""

        def wanted(seen: RuleFile) -> Sequence[KeptRule]:
            present, others = _part(seen, name)
            if present is None:
                raise RuleNotFound
            require_state(present, if_match)
            return others

        return self._change(wanted, origin)

    def try_rule(
        self,
        account: str | None,
        container: str,
        path: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        rules: RuleList | None = None,
    ) -> RuleTrial:
        """What would become of an upload, by the rules in force or by these; changes nothing.

        Raises InvalidInput where no blob can have this name.
        """
        if account is None and not self._accounts:
            raise InvalidInput("Say which storage account.", "/account")
        blob = BlobReference(account or self._accounts[0], container, path)
        tried = self.current() if rules is None else RuleSet(rules.rules)
        return _trial(blob, tried, metadata, tags)

    def _change(
        self,
        wanted: Callable[[RuleFile], Sequence[KeptRule]],
        origin: Origin,
        *,
        dry_run: bool = False,
    ) -> RuleChanges:
        with self._database.connection() as connection, connection.transaction():
            repository = RuleRepository(connection)
            if not dry_run:
                repository.hold()
            seen = repository.read()
            rules = wanted(seen)
            _check_set(rules)
            changes = compare_rules(seen, rules)
            if dry_run or not changes.are_any:
                return changes
            return self._make(repository, changes, origin)

    def _make(
        self, repository: RuleRepository, changes: RuleChanges, origin: Origin
    ) -> RuleChanges:
        with constraint_errors():
            repository.remove([rule.name for rule in changes.removed])
            repository.keep([*changes.added, *(change.after for change in changes.changed)])
        repository.record_events(origin, self._clock(), list(_events(changes)))
        return changes.model_copy(update={"version": repository.advance()})


def version_tag(version: int) -> str:
    """The entity tag of all rules, without quotes."""
    return f"rules-{version}"


def _readable(file: RuleFile) -> Iterator[IngestionRule]:
    for rule in file.rules:
        if not isinstance(rule, IngestionRule):
            raise RulesUnreadable(
                f"The ingestion rule '{rule.name}' cannot be read by this version of the registry."
            )
        yield rule


def _check_set(rules: Sequence[KeptRule]) -> None:
    if len(rules) > MAXIMUM_RULES:
        raise InvalidInput(f"There are at most {MAXIMUM_RULES} rules.")
    told = [rule.model_dump(mode="json") for rule in rules]
    if len(json.dumps(told, separators=(",", ":"))) > MAXIMUM_BYTES:
        raise InvalidInput(f"All rules together have at most {MAXIMUM_BYTES} bytes as JSON.")


def _part(file: RuleFile, name: str) -> tuple[KeptRule | None, list[KeptRule]]:
    """The rule of this name, and all others."""
    of_name = next((rule for rule in file.rules if rule.name == name), None)
    return of_name, [rule for rule in file.rules if rule.name != name]


def _events(changes: RuleChanges) -> Iterable[Mapping[str, Any]]:
    for rule in changes.removed:
        yield _event("rule_removed", rule.name, before=rule)
    for rule in changes.added:
        yield _event("rule_created", rule.name, after=rule)
    for change in changes.changed:
        yield _event("rule_changed", change.name, before=change.before, after=change.after)


def _event(operation: str, name: str, **states: KeptRule) -> Mapping[str, Any]:
    told = {state: rule.model_dump(mode="json") for state, rule in states.items()}
    return {"operation": operation, "details": {"rule": name, **told}}


def _trial(
    blob: BlobReference,
    rules: RuleSet,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
) -> RuleTrial:
    matches = list(rules.matches(blob))
    match = matches[0] if matches else None
    registration = problem = None
    try:
        registration = registration_of(blob, match, metadata, tags)
    except InvalidInput as error:
        problem = RefusedUpload(pointer=error.pointer, detail=error.summary)
    return RuleTrial(
        rule=match.rule.name if match else None,
        values=dict(match.values) if match else {},
        also_matching=[other.rule.name for other in matches[1:]],
        registration=registration,
        problem=problem,
    )

"""Ingestion rules: in force, changed, and tried."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock

from shared.database.pool import Database
from shared.errors import InvalidInput, RuleNotFound, RulesUnreadable
from shared.models.blobs import BlobReference
from shared.models.documents import DocumentChanges
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.models.rule_files import RuleChanges, RuleFile
from shared.models.rule_trials import RefusedUpload, RuleTrial
from shared.models.rules import IngestionRule, RuleList, RuleSet
from shared.models.uploads import registration_of
from shared.repositories.rules import RuleRepository
from shared.services.documents import DocumentKind, DocumentService, Tags

_KIND = DocumentKind(IngestionRule, "rules", RuleChanges, RuleRepository, RuleNotFound)
version_tag = _KIND.version_tag


class RuleService(DocumentService[IngestionRule]):
    """Ingestion rules are one document: see there."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], accounts: Sequence[str] = ()
    ) -> None:
        """`accounts` are those that the registry serves: trials are about the first of them."""
        super().__init__(database, clock, _KIND)
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
        document = self._read()
        return RuleFile(version=document.version, rules=[*document.items])

    def apply(
        self,
        rules: RuleList,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Tags = None,
        dry_run: bool = False,
    ) -> DocumentChanges[IngestionRule]:
        """Make these the rules that are in force, all of them; entity tags are `version_tag`s.

        A dry run only tells what would change, and the version that it compared with. Raises
        InvalidInput for rules that are too large.
        """
        return self._replace(rules.rules, origin, if_match=if_match, dry_run=dry_run)

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
        asked = self._accounts[0] if account is None else account
        blob = BlobReference(asked, container, path)
        tried = self.current() if rules is None else RuleSet(rules.rules)
        return _trial(blob, tried, metadata, tags)


def _readable(file: RuleFile) -> Iterator[IngestionRule]:
    for rule in file.rules:
        if not isinstance(rule, IngestionRule):
            raise RulesUnreadable(
                f"The ingestion rule '{rule.name}' cannot be read by this version of the registry."
            )
        yield rule


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

"""Policies as they are kept: looked at, and changed."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.database.pool import Database
from shared.errors import InvalidInput, PolicyExists, PolicyLocked, PolicyNotFound, PolicyUnreadable
from shared.models.documents import Document, DocumentChanges, DocumentItem, UnreadableItem
from shared.models.policies import Policy
from shared.models.policy_files import KeptPolicy, PolicyChanges, PolicyFile, PolicyList
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.repositories.policies import PolicyRepository
from shared.services.documents import DocumentKind, DocumentService, Tags, part

_LOGGER = logging.getLogger(__name__)
_KIND = DocumentKind(Policy, "policies", PolicyChanges, PolicyRepository, PolicyNotFound)
_MOST_LOCKED = 100
"""Each is held against every artifact that is to be deleted or purged."""

version_tag = _KIND.version_tag


class PolicyService(DocumentService[Policy]):
    """Policies are one document: see there.

    A policy that is locked stays: it may be replaced by one that retains as much, and by no other.
    PolicyLocked is raised where that is tried, also by a dry run. Once a change that locks answers,
    nothing that it retains is being deleted or purged any more.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(database, clock, _KIND)

    def read(self) -> PolicyFile:
        """All policies, by name."""
        document = self._read()
        return PolicyFile(version=document.version, policies=[*document.items])

    def in_force(self, name: str) -> Policy:
        """A policy to go by, enabled or not. Raises PolicyNotFound, and PolicyUnreadable."""
        policy = self.get(name)
        if isinstance(policy, UnreadableItem):
            raise PolicyUnreadable(
                f"The policy '{name}' cannot be read by this version of the registry."
            )
        return policy

    def enabled(self) -> list[Policy]:
        """The policies that act by themselves, in the order in which they do.

        Those that cannot be read are left to the version of the registry that can.
        """
        file = self.read()
        if file.unreadable:
            _LOGGER.warning("policies of another version: names=%s", ", ".join(file.unreadable))
        return file.enabled

    def apply(
        self,
        policies: PolicyList,
        origin: Origin = UNATTRIBUTED,
        *,
        if_match: Tags = None,
        dry_run: bool = False,
    ) -> DocumentChanges[Policy]:
        """Make these all policies that there are; entity tags are `version_tag`s.

        A dry run only tells what would change, and the version that it compared with. Raises
        InvalidInput for policies that are too large, or too many of them locked.
        """
        return self._replace(policies.policies, origin, if_match=if_match, dry_run=dry_run)

    def create(self, policy: Policy, origin: Origin = UNATTRIBUTED) -> DocumentChanges[Policy]:
        """Add a policy. Raises PolicyExists."""

        def wanted(seen: Document[Policy]) -> Sequence[KeptPolicy]:
            present, others = part(seen, policy.name)
            if present is not None:
                raise PolicyExists
            return [*others, policy]

        return self._change([policy], wanted, origin)

    def _check(self, items: Sequence[KeptPolicy], changes: DocumentChanges[Policy]) -> None:
        for removed in changes.removed:
            if _is_locked(removed):
                raise PolicyLocked(f"Nobody removes the policy '{removed.name}'.")
        for change in changes.changed:
            if _is_locked(change.before) and not _retains_as_much(change.before, change.after):
                raise PolicyLocked(
                    f"Of the policy '{change.name}' only age and keep_last grow: it stays locked, "
                    "and kind, clock and selector stay."
                )
        if sum(map(_is_locked, items)) > _MOST_LOCKED:
            raise InvalidInput(f"At most {_MOST_LOCKED} policies are locked.")


def _is_locked(policy: DocumentItem) -> bool:
    # As the database reads it, also of what another version wrote.
    return policy.as_json().get("locked") in {True, "true"}


def _retains_as_much(before: KeptPolicy, after: KeptPolicy) -> bool:
    return (
        isinstance(before, Policy)
        and isinstance(after, Policy)
        and after.locked
        and (after.kind, after.clock) == (before.kind, before.clock)
        and after.selector.model_dump_json() == before.selector.model_dump_json()
        and after.keep_last >= before.keep_last
        and after.age >= before.age
    )

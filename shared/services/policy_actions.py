"""Doing what policies want, one artifact at a time."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import assert_never
from uuid import UUID

from shared.database.pool import Database
from shared.errors import (
    ArtifactHeld,
    ArtifactRetained,
    BlobNotFound,
    BytesNotServed,
    BytesUncertain,
    LocationShared,
    RegistryError,
    Retryable,
)
from shared.models.axes import Disposition
from shared.models.policies import PolicyKind
from shared.models.policy_runs import JudgedClaim
from shared.models.registrations import Origin
from shared.models.set_aside import Message
from shared.repositories.artifacts import ArtifactRepository
from shared.repositories.policy_actions import PolicyActionRepository
from shared.repositories.policy_runs import PolicyRunRepository
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import blob_of
from shared.services.policy_queue import read_request, request_for
from shared.services.retirement import HeldArtifact, RetirementService
from shared.services.set_aside import SetAsideService
from shared.services.transitions import held_artifact
from shared.telemetry.metrics import POLICY_ACTIONS

_LOGGER = logging.getLogger(__name__)
_LOOKING = Origin("policies")
_COUNTED = 10_000
_REFUSALS: dict[type[RegistryError], str] = {
    ArtifactHeld: "hold",
    LocationShared: "shared location",
    BytesUncertain: "bytes uncertain",
    BytesNotServed: "bytes not served",
}
"""What is found only once the artifact, or its blob, is looked at alone."""


class PolicyActions:
    """Acts on claims. Each is judged once more under the locks of its artifact and its bytes.

    What is done is said in the same transaction, so that doing it twice changes nothing; what was
    killed before is done by the next message, which a timer sends after an hour.
    """

    def __init__(
        self,
        database: Database,
        retirement: RetirementService,
        ingestion: IngestionService,
        set_aside: SetAsideService,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._retirement = retirement
        self._ingestion = ingestion
        self._set_aside = set_aside
        self._clock = clock

    def take(self, queue: str, body: bytes, origin: Origin) -> None:
        """Act on the artifacts that a message names. Raises a Retryable at the end, if one met it.

        What cannot be acted on is counted by its run, and due again in the next.
        """
        runs: set[UUID] = set()

        def act(artifact_id: UUID) -> list[str]:
            run_id = self._act_or_wait(artifact_id)
            runs.update([run_id] if run_id else [])
            return []

        def use(message: Message, document: object) -> None:
            wanted = read_request(document)
            self._set_aside.use_each(message.source, wanted, act, request_for, origin)

        try:
            self._set_aside.take(Message(queue, body), origin, use)
        finally:
            for run_id in runs:
                self.count(run_id)

    def act(self, artifact_id: UUID) -> UUID | None:
        """Act on one artifact, if a claim wants it; answers with the run that has to count it.

        Raises a Retryable, and then nothing was done, or only at the store.
        """
        with self._database.connection() as connection:
            kind = PolicyActionRepository(connection).kind_of(artifact_id)
        if kind is None:
            return None
        try:
            return self._act_as(kind, artifact_id)
        except Retryable:
            raise
        except RegistryError as fault:
            run_id = self._settle(kind, artifact_id, fault)
            if isinstance(fault, BlobNotFound):
                self._look(artifact_id)
            return run_id

    def _act_or_wait(self, artifact_id: UUID) -> UUID | None:
        """A fault of ours is one that passes: it keeps none of a message's others waiting."""
        try:
            return self.act(artifact_id)
        except RegistryError:
            raise
        except Exception as fault:
            _LOGGER.exception("policy action failed: artifact_id=%s", artifact_id)
            raise Retryable("The action failed for a reason that was not foreseen.") from fault

    def count(self, run_id: UUID) -> None:
        """Let a run count what was done of it, and end where nothing is left."""
        with self._database.connection() as connection:
            PolicyRunRepository(connection).count_outcomes(run_id, _COUNTED, self._clock())

    def _act_as(self, kind: PolicyKind, artifact_id: UUID) -> UUID | None:
        match kind:
            case PolicyKind.ARCHIVE:
                with self._retirement.held(artifact_id, Disposition.ARCHIVED) as held:
                    return self._settled(held, self._archive)
            case PolicyKind.PURGE:
                with self._retirement.held(artifact_id, Disposition.PURGED) as held:
                    return self._settled(held, self._purge)
            case PolicyKind.DELETE | PolicyKind.EXPIRE:
                with held_artifact(self._database, artifact_id) as found:
                    return self._settled(HeldArtifact(*found), self._delete)
            case _:
                assert_never(kind)

    def _settle(self, kind: PolicyKind, artifact_id: UUID, fault: RegistryError) -> UUID | None:
        reason = _reason_of(fault)
        outcome = "refused" if reason else "failed"
        with self._database.connection() as connection:
            run_id = PolicyActionRepository(connection).settle(
                artifact_id, outcome, reason=reason or fault.summary
            )
        return _counted(run_id, kind, outcome)

    def _look(self, artifact_id: UUID) -> None:
        """Have it noted that the bytes are missing, if so: nobody tries to cool them again.

        The claim is settled by then. A look that fails is left to the next run that tries.
        """
        try:
            with self._database.connection() as connection:
                artifact = ArtifactRepository(connection).get(artifact_id)
            blob = blob_of(artifact) if artifact else None
            if blob is not None:
                self._ingestion.look_at_blob(blob, _LOOKING)
        except RegistryError as fault:
            why = type(fault).__name__
            _LOGGER.warning("no look at bytes: artifact_id=%s reason=%s", artifact_id, why)

    def _settled(
        self, held: HeldArtifact, do: Callable[[HeldArtifact, JudgedClaim], int]
    ) -> UUID | None:
        claims = PolicyActionRepository(held.connection)
        artifact_id = held.artifact.artifact_id
        claim = claims.judge(artifact_id, self._clock())
        if claim is None:
            return None
        kind = claim.policy.kind
        if claim.verdict:
            run_id = claims.settle(artifact_id, "refused", reason=claim.verdict)
            return _counted(run_id, kind, "refused")
        return _counted(claims.settle(artifact_id, "acted", size=do(held, claim)), kind, "acted")

    def _archive(self, held: HeldArtifact, claim: JudgedClaim) -> int:
        tier = claim.policy.target_tier
        assert tier, "every policy that archives has one"  # noqa: S101 - the model sees to it
        self._retirement.archive_held(held, tier, claim.origin, claim.why)
        return claim.bytes or 0

    def _purge(self, held: HeldArtifact, claim: JudgedClaim) -> int:
        return self._retirement.purge_held(held, claim.origin, claim.why).bytes_freed

    def _delete(self, held: HeldArtifact, claim: JudgedClaim) -> int:
        self._retirement.delete_held(held, claim.origin, claim.why)
        return claim.bytes or 0


def _counted(run_id: UUID | None, kind: PolicyKind, outcome: str) -> UUID | None:
    """The run of a claim that was settled, which nobody else had done; counted as a metric."""
    if run_id is not None:
        POLICY_ACTIONS.add(1, {"kind": kind, "outcome": outcome})
    return run_id


def _reason_of(fault: RegistryError) -> str | None:
    """Why it is left alone; None where it should not have been refused."""
    if isinstance(fault, ArtifactRetained):
        return f"retention {fault.policy}"
    return _REFUSALS.get(type(fault))

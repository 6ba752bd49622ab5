"""Every error that the registry raises on purpose; one root, no word of HTTP or of a driver."""

from collections.abc import Mapping, Sequence
from uuid import UUID


class RegistryError(Exception):
    """The registry could not do what was asked."""

    @property
    def summary(self) -> str:
        """The sentence a user reads: what was said when raising, else the class's own."""
        return str(self.args[0]) if self.args else (type(self).__doc__ or "").strip()


class InvalidInput(RegistryError):
    """A value does not satisfy the registry's rules."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer
        """JSON pointer (RFC 6901) of the offending value; empty for the whole input."""


class MalformedMessage(RegistryError):
    """A message cannot be read as any form that the registry accepts."""


class ArtifactNotFound(RegistryError):
    """There is no such artifact."""


class ArtifactConflict(RegistryError):
    """The asset already has a current artifact and overwriting was not asked for."""

    def __init__(self, current_artifact_id: UUID) -> None:
        super().__init__(
            f"The asset already has a current artifact, {current_artifact_id}; "
            "register with overwrite to supersede it."
        )
        self.current_artifact_id = current_artifact_id


class InvalidTransition(RegistryError):
    """The artifact cannot move from its present state to the one asked for."""


class BatchRefused(RegistryError):
    """Nothing of the batch was registered: some of its items cannot be."""

    def __init__(self, refused: Mapping[int, RegistryError]) -> None:
        super().__init__(
            f"Nothing of the batch was registered: {len(refused)} of its items cannot be."
        )
        self.refused = refused
        """Position in the batch, from 0, to what was wrong with that item."""


class IdempotencyKeyReused(RegistryError):
    """The idempotency key was used for another request."""


class RequestInFlight(RegistryError):
    """A request with the same idempotency key is being worked on."""


class PreconditionFailed(RegistryError):
    """What is to be changed is not, or no longer, in the state that the caller saw."""


class LocationShared(RegistryError):
    """Another artifact that is not deleted points at the same bytes."""


class ArtifactHeld(RegistryError):
    """The artifact is held: it is not archived, deleted or purged until the hold ends."""

    def __init__(self, hold_id: UUID) -> None:
        super().__init__(
            f"The artifact is held, by the hold {hold_id}: it is not archived, deleted or purged "
            "until that ends."
        )
        self.hold_id = hold_id


class ArtifactRetained(RegistryError):
    """A locked policy retains the artifact: it is not deleted or purged before its time."""

    def __init__(self, policy: str) -> None:
        super().__init__(
            f"The locked policy '{policy}' retains the artifact: it is not deleted or purged "
            "before its time."
        )
        self.policy = policy


class BytesNotServed(RegistryError):
    """The artifact's bytes are not in a storage account that this registry serves."""


class BytesUncertain(RegistryError):
    """The blob was written again since: whether it still holds this artifact's bytes is unknown."""


class TooManyMatches(RegistryError):
    """More assets match than can be told apart; give more of their references."""


class KeyNotFound(RegistryError):
    """There is no such API key."""


class KeyEnded(RegistryError):
    """The API key was revoked, has expired or was replaced."""


class AssetNotFound(RegistryError):
    """There is no such asset."""


class HoldNotFound(RegistryError):
    """There is no such hold."""


class RuleNotFound(RegistryError):
    """There is no such ingestion rule."""


class PolicyNotFound(RegistryError):
    """There is no such policy."""


class PolicyRunNotFound(RegistryError):
    """There is no such run of a policy."""


class PolicyExists(RegistryError):
    """There is a policy of this name already."""


class PolicyLocked(RegistryError):
    """The policy is locked: it stays, and its age only ever grows."""


class BuildNotFound(RegistryError):
    """There is no such build."""


class BuildExists(RegistryError):
    """Another build has this number."""

    def __init__(self, build_id: UUID) -> None:
        super().__init__(f"The build {build_id} has this number already.")
        self.build_id = build_id


class BuildStateRefused(RegistryError):
    """The build's state does not allow this."""


class ResumeUnderWay(RegistryError):
    """A resume of the build is under way; say how it ended first."""

    def __init__(self, resume_id: UUID) -> None:
        super().__init__(f"The resume {resume_id} is under way; say how it ended first.")
        self.resume_id = resume_id


class ResumeNotPossible(RegistryError):
    """What is needed to resume the build is not there."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"What is needed to resume is not there: {'; '.join(missing)}.")
        self.missing = tuple(missing)
        """One sentence each."""


class ResumeNotFound(RegistryError):
    """There is no such resume of this build."""


class ArtifactNameTaken(RegistryError):
    """Another artifact of the build has this name."""

    def __init__(self, artifact_id: UUID) -> None:
        super().__init__(f"The artifact {artifact_id} of this build has the name already.")
        self.artifact_id = artifact_id


class ProjectNotFound(RegistryError):
    """There is no such project."""


class VariableNotFound(RegistryError):
    """The build has no such variable."""


class FailureNotFound(RegistryError):
    """There is no such message among those that were set aside."""


class FailureEnded(RegistryError):
    """The message was replayed or discarded already."""


class NotReplayable(RegistryError):
    """The message came from a queue that this registry no longer takes messages from."""


class SealConflict(RegistryError):
    """The audit trail is not what its seals say, or lacks events: verify it."""


class BlobNotFound(RegistryError):
    """The blob, or its container, does not exist."""


class BlobUnreadable(RegistryError):
    """The store refuses to read the blob as it is, for example because it is archived."""


class StorageAccountNotAllowed(RegistryError):
    """The storage account is not one that this registry serves."""


class TableNotAllowed(RegistryError):
    """The table is not one that this registry may read."""


class TableNotFound(RegistryError):
    """The table does not exist."""


class TableUnreadable(RegistryError):
    """The table cannot be read as it is, for example because it has no primary key."""


class Retryable(RegistryError):
    """A fault that passes: the same request may succeed later."""


class BlobChanged(Retryable):
    """The blob changed while it was being read."""


class DatabaseUnavailable(Retryable):
    """The database cannot be reached at the moment."""


class StorageUnavailable(Retryable):
    """The storage account cannot be reached at the moment."""


class TableSourceUnavailable(Retryable):
    """The database that holds the table cannot be reached at the moment."""


class RulesUnreadable(Retryable):
    """The ingestion rules in force cannot be read by this version of the registry."""


class PolicyUnreadable(Retryable):
    """The policy cannot be read by this version of the registry."""


class IssuerUnavailable(Retryable):
    """The keys that tokens are signed with cannot be had from their issuer at the moment."""


class KeyRejected(RegistryError):
    """The API key or token is missing or not valid, or both were presented."""


class ScopeMissing(RegistryError):
    """The credential does not carry the scope that this operation needs."""

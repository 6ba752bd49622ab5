"""What each of the registry's own errors is over HTTP."""

from collections.abc import Mapping

from functions.http.problems import INTERNAL_ERROR, INVALID_INPUT, ProblemType
from shared import errors

FAULTS: Mapping[type[errors.RegistryError], ProblemType] = {
    errors.RegistryError: INTERNAL_ERROR,
    errors.InvalidInput: INVALID_INPUT,
    errors.MalformedMessage: ProblemType(400, "malformed", "The request cannot be read"),
    errors.ArtifactNotFound: ProblemType(404, "artifact-not-found", "No such artifact"),
    errors.ArtifactConflict: ProblemType(409, "artifact-conflict", "A current artifact exists"),
    errors.InvalidTransition: ProblemType(
        409, "invalid-transition", "The artifact's state does not allow this"
    ),
    errors.BatchRefused: ProblemType(409, "batch-refused", "The batch was refused as a whole"),
    errors.IdempotencyKeyReused: ProblemType(
        422, "idempotency-key-reused", "The idempotency key belongs to another request"
    ),
    errors.RequestInFlight: ProblemType(
        409, "request-in-flight", "The same request is being worked on"
    ),
    errors.PreconditionFailed: ProblemType(
        412, "precondition-failed", "The state is not the one that was expected"
    ),
    errors.LocationShared: ProblemType(
        409, "location-shared", "Another artifact points at these bytes"
    ),
    errors.ArtifactHeld: ProblemType(409, "artifact-held", "The artifact is held"),
    errors.ArtifactRetained: ProblemType(
        409, "artifact-retained", "A locked policy retains the artifact"
    ),
    errors.BytesNotServed: ProblemType(
        409, "bytes-not-served", "The bytes are not in this registry's storage account"
    ),
    errors.BytesUncertain: ProblemType(
        409, "bytes-uncertain", "The blob was written again since it was registered"
    ),
    errors.TooManyMatches: ProblemType(422, "too-many-matches", "Too many assets match"),
    errors.KeyNotFound: ProblemType(404, "key-not-found", "No such API key"),
    errors.KeyEnded: ProblemType(409, "key-ended", "The API key's life is over"),
    errors.AssetNotFound: ProblemType(404, "asset-not-found", "No such asset"),
    errors.HoldNotFound: ProblemType(404, "hold-not-found", "No such hold"),
    errors.RuleNotFound: ProblemType(404, "rule-not-found", "No such ingestion rule"),
    errors.PolicyNotFound: ProblemType(404, "policy-not-found", "No such policy"),
    errors.PolicyExists: ProblemType(409, "policy-exists", "A policy of this name exists"),
    errors.PolicyLocked: ProblemType(409, "policy-locked", "The policy is locked"),
    errors.PolicyRunNotFound: ProblemType(404, "policy-run-not-found", "No such run of a policy"),
    errors.BuildNotFound: ProblemType(404, "build-not-found", "No such build"),
    errors.BuildExists: ProblemType(409, "build-exists", "A build of this number exists"),
    errors.BuildStateRefused: ProblemType(
        409, "build-state-refused", "The build's state does not allow this"
    ),
    errors.ResumeNotFound: ProblemType(404, "resume-not-found", "No such resume"),
    errors.ResumeUnderWay: ProblemType(409, "resume-under-way", "The build is being resumed"),
    errors.ResumeNotPossible: ProblemType(
        409, "resume-not-possible", "What a resume needs is not there"
    ),
    errors.ArtifactNameTaken: ProblemType(
        409, "artifact-name-taken", "An artifact of the build has this name"
    ),
    errors.ProjectNotFound: ProblemType(404, "project-not-found", "No such project"),
    errors.VariableNotFound: ProblemType(404, "variable-not-found", "No such variable"),
    errors.FailureNotFound: ProblemType(404, "failure-not-found", "No such message was set aside"),
    errors.FailureEnded: ProblemType(409, "failure-ended", "The message was dealt with already"),
    errors.NotReplayable: ProblemType(409, "not-replayable", "Nothing takes the message any more"),
    errors.SealConflict: ProblemType(409, "seal-conflict", "Not what was sealed"),
    errors.BlobNotFound: ProblemType(422, "blob-not-found", "No such blob"),
    errors.BlobUnreadable: ProblemType(409, "blob-unreadable", "The blob cannot be read"),
    errors.StorageAccountNotAllowed: ProblemType(
        422, "storage-account-not-allowed", "The storage account is not served here"
    ),
    errors.TableNotAllowed: ProblemType(422, "table-not-allowed", "The table is not listed here"),
    errors.TableNotFound: ProblemType(422, "table-not-found", "No such table"),
    errors.TableUnreadable: ProblemType(409, "table-unreadable", "The table cannot be read"),
    errors.Retryable: ProblemType(503, "unavailable", "Not available at the moment"),
    errors.BlobChanged: ProblemType(503, "blob-changed", "The blob changed while it was read"),
    errors.DatabaseUnavailable: ProblemType(
        503, "database-unavailable", "The database is not available"
    ),
    errors.StorageUnavailable: ProblemType(
        503, "storage-unavailable", "The storage account is not available"
    ),
    errors.TableSourceUnavailable: ProblemType(
        503, "table-source-unavailable", "The table's database is not available"
    ),
    errors.RulesUnreadable: ProblemType(
        503, "rules-unreadable", "The rules in force cannot be read by this version"
    ),
    errors.PolicyUnreadable: ProblemType(
        503, "policy-unreadable", "The policy cannot be read by this version"
    ),
    errors.IssuerUnavailable: ProblemType(
        503, "issuer-unavailable", "The token issuer is not available"
    ),
    errors.KeyRejected: ProblemType(401, "key-rejected", "A valid API key or token is needed"),
    errors.ScopeMissing: ProblemType(403, "scope-missing", "The credential does not allow this"),
}
"""One entry for each class, which a test checks; a class of no entry is an internal error."""


def problem_of(fault: errors.RegistryError) -> ProblemType:
    """The problem that an error is."""
    return FAULTS.get(type(fault), INTERNAL_ERROR)

"""What the admin surface answers with."""

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.models.artifacts import Artifact
from shared.models.axes import Status
from shared.models.chains import Chain, Direction, History, Match, Page
from shared.models.content_hash import ContentHash
from shared.models.ids import ArtifactId
from shared.models.statistics import Statistics


class Answer(BaseModel):
    """What all answers have in common."""

    # Deferred: most are only described at first, and validators cost a cold start.
    model_config = ConfigDict(defer_build=True)


class ArtifactAnswer(Answer):
    """One artifact."""

    artifact: Artifact


class MatchedAnswer(ArtifactAnswer):
    """The artifact that client references led to.

    `match` says whether the references are the asset's own (`exact`) or part of them
    (`containment`); then `matched_assets` tells of how many assets.
    """

    match: Match
    matched_assets: int


class MovedAnswer(Answer):
    """What became of an artifact."""

    message: str
    artifact_id: ArtifactId
    previous_status: Status


class StatisticsAnswer(Answer):
    """Figures of one client, or of all where `client_type` is null."""

    client_type: str | None
    stats: Statistics


class DuplicatesAnswer(Answer):
    """A page of the artifacts that hold the same bytes; `count` is that of the page."""

    content_hash: ContentHash | None
    count: int
    artifacts: list[Artifact]
    next: str | None


class JobAnswer(Answer):
    """A page of what a job made; `count` is that of the page, `next` the cursor of another."""

    job_id: str
    count: int
    artifacts: list[Artifact]
    next: str | None

    @classmethod
    def of(cls, job_id: str, page: Page) -> "JobAnswer":
        count = len(page.artifacts)
        return cls(job_id=job_id, count=count, artifacts=page.artifacts, next=page.next)


class HistoryAnswer(Answer):
    """A page of an asset's revisions, newest first; `revision_count` is that of the asset.

    `match` says whether the references are the asset's own (`exact`) or part of them
    (`containment`); then `matched_assets` tells of how many assets, and the oldest is shown.
    """

    client_type: str
    client_refs: dict[str, JsonValue]
    match: Match
    matched_assets: int
    revision_count: int
    history: list[Artifact]
    next: str | None

    @classmethod
    def of(cls, found: History) -> "HistoryAnswer":
        return cls(
            client_type=found.client_type,
            client_refs=found.client_refs,
            match=found.match,
            matched_assets=found.matched_assets,
            revision_count=found.revision_count,
            history=found.artifacts,
            next=found.next,
        )


class ChainAnswer(Answer):
    """A page of a supersession chain; `chain_length` is that of the whole, in this direction."""

    artifact_id: ArtifactId
    direction: Direction
    chain_length: int
    chain: list[Artifact]
    next: str | None

    @classmethod
    def of(cls, found: Chain) -> "ChainAnswer":
        return cls(
            artifact_id=found.artifact_id,
            direction=found.direction,
            chain_length=found.chain_length,
            chain=found.artifacts,
            next=found.next,
        )

"""What the admin surface answers with."""

from pydantic import BaseModel, JsonValue

from shared.models.artifacts import Artifact
from shared.models.chains import Chain, Direction, History, Match, Page
from shared.models.ids import ArtifactId


class ArtifactAnswer(BaseModel):
    """One artifact."""

    artifact: Artifact


class JobAnswer(BaseModel):
    """A page of what a job made; `count` is that of the page, `next` the cursor of another."""

    job_id: str
    count: int
    artifacts: list[Artifact]
    next: str | None

    @classmethod
    def of(cls, job_id: str, page: Page) -> "JobAnswer":
        count = len(page.artifacts)
        return cls(job_id=job_id, count=count, artifacts=page.artifacts, next=page.next)


class HistoryAnswer(BaseModel):
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


class ChainAnswer(BaseModel):
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

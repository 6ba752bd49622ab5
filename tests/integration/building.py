"""Builds for tests: made, moved on and looked at through the services alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.models.build_resumes import Resume, ResumeChange, ResumeRequest, ResumeStatus
from shared.models.build_states import FailureReport, StateAttempt, StateReport
from shared.models.builds import Build, BuildRequest
from shared.models.registrations import Origin
from shared.services.build_surface import Builds

ORIGIN = Origin("key:tests", "request-1")


@dataclass(frozen=True)
class OneBuild:
    """A build, and what build servers do with it."""

    builds: Builds
    id: UUID

    @classmethod
    def begun(cls, builds: Builds, number: str = "build-1", **facets: Any) -> "OneBuild":
        made = builds.records.create(BuildRequest(build_number=number, **facets), ORIGIN)
        return cls(builds, made.id)

    @property
    def now(self) -> Build:
        return self.builds.records.get(self.id)

    @property
    def history(self) -> list[StateAttempt]:
        """Oldest first."""
        return self.builds.states.list_states(self.id).states[::-1]

    @property
    def told(self) -> list[tuple[int, int, str]]:
        """State, attempt and status of each attempt, oldest first."""
        return [(each.state, each.attempt, each.status.value) for each in self.history]

    def tell(self, state: int | str, status: str = "completed", **more: Any) -> StateAttempt:
        named = {"state_code": state} if isinstance(state, int) else {"state_name": state}
        report = StateReport.model_validate({**named, "status": status, **more})
        return self.builds.states.report(self.id, report, ORIGIN)

    def tell_with_artifact(
        self, state: int, status: str = "completed", **more: Any
    ) -> StateAttempt:
        path = f"s3://builds/{self.id}/state-{state}/image.qcow2"
        stored = {"artifact_storage_type": "s3", "artifact_storage_path": path}
        return self.tell(state, status, **stored, **more)

    def fail(self, **report: Any) -> Build:
        return self.builds.states.fail(self.id, FailureReport.model_validate(report), ORIGIN)

    def resume(self, **wanted: Any) -> Resume:
        return self.builds.resumes.resume(self.id, ResumeRequest.model_validate(wanted), ORIGIN)

    def move(self, resume: Resume, status: ResumeStatus, message: str | None = None) -> Resume:
        change = ResumeChange(status=status, message=message)
        return self.builds.resumes.change(self.id, resume.id, change, ORIGIN)


def seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds()

"""All that may be asked about builds, put together from its parts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from shared.database.pool import Database
from shared.services.build_artifacts import BuildArtifactService
from shared.services.build_dashboard import BuildDashboardService
from shared.services.build_resumes import BuildResumeService
from shared.services.build_states import BuildStateService
from shared.services.build_variables import BuildVariableService
from shared.services.builds import BuildService
from shared.services.projects import ProjectService
from shared.services.verification import Verifications


@dataclass(frozen=True)
class Builds:
    """One service for each thing that a build has."""

    records: BuildService
    states: BuildStateService
    artifacts: BuildArtifactService
    resumes: BuildResumeService
    projects: ProjectService
    variables: BuildVariableService
    dashboard: BuildDashboardService

    @classmethod
    def of(
        cls, database: Database, verifications: Verifications, clock: Callable[[], datetime]
    ) -> Self:
        """Those of one database."""
        return cls(
            records=BuildService(database, clock),
            states=BuildStateService(database, clock),
            artifacts=BuildArtifactService(database, verifications, clock),
            resumes=BuildResumeService(database, clock),
            projects=ProjectService(database, clock),
            variables=BuildVariableService(database, clock),
            dashboard=BuildDashboardService(database),
        )

"""The registry's own service, put together from its parts."""

from collections.abc import Callable
from datetime import datetime

from shared.database.pool import Database
from shared.services.artifact_lists import ArtifactLists
from shared.services.artifact_reads import ArtifactReads
from shared.services.duplicates import DuplicateReads
from shared.services.locations import ArtifactLocations
from shared.services.registration import ArtifactRegistrations
from shared.services.statistics import StatisticsReads
from shared.services.transitions import ArtifactTransitions


class ArtifactService(
    ArtifactRegistrations,
    ArtifactTransitions,
    ArtifactReads,
    ArtifactLists,
    DuplicateReads,
    StatisticsReads,
    ArtifactLocations,
):
    """All that may be asked about artifacts: every method is one call, one connection."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

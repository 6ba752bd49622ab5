"""The parts of ingestion, each with a stopwatch."""

import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from shared.database.pool import Database
from shared.models.artifacts import ArtifactRegistration
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Registration
from shared.models.rules import RuleSet
from shared.repositories.artifacts import Observation
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.ingestion_blobs import BlobRegistrations
from shared.services.ingestion_looks import LocationLooks
from shared.services.ingestion_uploads import Uploads
from shared.services.rules import RuleService
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore


class Stopwatch:
    """Seconds that each stage took, each time. Any number of threads may."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name].append(time.perf_counter() - began)


class _TimedStore(BlobStore):
    def __init__(self, connection_string: str, watch: Stopwatch) -> None:
        super().__init__(connection_string)
        self._watch = watch

    def properties(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties:
        with self._watch.stage("properties"):
            return super().properties(reference, version_id=version_id)

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        with self._watch.stage("hash"):  # the reader hashes between the chunks
            yield from super().read(properties)


class _TimedArtifacts(ArtifactService):
    def __init__(self, database: Database, watch: Stopwatch) -> None:
        super().__init__(database, _now)
        self._watch = watch

    def register(self, *arguments: Any, **options: Any) -> Registration:
        with self._watch.stage("register"):
            return super().register(*arguments, **options)


class _TimedRules(RuleService):
    def __init__(self, database: Database, watch: Stopwatch) -> None:
        super().__init__(database, _now)
        self._watch = watch

    def current(self) -> RuleSet:
        with self._watch.stage("rules"):
            return super().current()


class _TimedBlobs(BlobRegistrations):
    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        store: BlobStore,
        looks: LocationLooks,
        watch: Stopwatch,
    ) -> None:
        super().__init__(database, artifacts, store, looks)
        self._watch = watch

    def _observe(self, registration: ArtifactRegistration, blob: BlobProperties) -> Observation:
        with self._watch.stage("observe"):
            return super()._observe(registration, blob)


class TimedIngestion(IngestionService):
    """Ingestion as `bootstrap` builds it, with its parts timed."""

    def __init__(self, database: Database, connection_string: str, watch: Stopwatch) -> None:
        artifacts = _TimedArtifacts(database, watch)
        store = _TimedStore(connection_string, watch)
        rules = _TimedRules(database, watch)
        super().__init__(database, artifacts, SetAsideService(database, _now), store, rules)
        blobs = _TimedBlobs(database, artifacts, store, self._looks, watch)
        self._uploads = Uploads(rules, store, blobs, self._looks)


def _now() -> datetime:
    return datetime.now(UTC)

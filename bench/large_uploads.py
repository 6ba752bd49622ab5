"""How long a blob of 1 GiB takes from its notice to registered, against reading its bytes."""

import statistics
import tempfile
from itertools import count
from pathlib import Path

from bench.large_blob import LargeBlob, large_blob, speed
from bench.ratio import Ratio
from bench.report import Figures, ratio_figures
from bench.rounds import median_seconds
from bench.services import registry_database
from bench.upload_stages import Stopwatch, TimedIngestion
from shared.database.pool import Database
from shared.models.blob_events import forwarded_event
from shared.models.registrations import Origin

TARGET = 0.85
ROUNDS = 15

_WHOLE = "from notice to registered"


def run() -> list[Figures]:
    """Measure on Azurite and an embedded server with fsync on."""
    with (
        tempfile.TemporaryDirectory(prefix="registry-bench-") as name,
        registry_database(Path(name) / "postgres") as url,
        large_blob(Path(name)) as blob,
    ):
        database = Database(url, size=1, timeout_seconds=60)
        try:
            return _measured(blob, database)
        finally:
            database.close()


def _measured(blob: LargeBlob, database: Database) -> list[Figures]:
    watch = Stopwatch()
    ingestion = TimedIngestion(database, blob.azurite.connection_string, watch)
    message = forwarded_event(blob.reference).encode()
    states = count()

    def register() -> None:
        # Another etag for the same bytes, else the registry would know that it has them.
        blob.client.set_blob_metadata({"state": str(next(states))})
        with watch.stage(_WHOLE):
            ingestion.take_blob_events("blob-events", message, Origin("bench"))

    register()
    watch.seconds.clear()
    seconds = median_seconds({"ours": register, "raw": blob.get_to_nowhere}, ROUNDS)
    assert len(watch.seconds["hash"]) == ROUNDS, "a blob was not hashed"
    told = f"ours {speed(seconds['ours'])}, raw {speed(seconds['raw'])}"
    ratio = Ratio("registered / raw GET", seconds["raw"] / seconds["ours"], TARGET, told)
    return [
        ratio_figures("A notice of 1 GiB", [ratio]),
        _stages(watch),
    ]


def _stages(watch: Stopwatch) -> Figures:
    medians = {name: statistics.median(seconds) for name, seconds in watch.seconds.items()}
    rows = [
        (name, f"{seconds * 1000:.1f} ms", f"{seconds / medians[_WHOLE]:.1%}")
        for name, seconds in medians.items()
    ]
    return Figures("Stages of 1 GiB", ("stage", "median", "share"), rows)

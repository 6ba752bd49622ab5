"""How long a blob takes from upload to registered, and where the time goes."""

import statistics
from collections.abc import Sequence

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from bench.report import Figures
from bench.upload_app import register_uploads, running_app
from bench.upload_services import UploadServices, upload_services
from bench.upload_source import DEPTH
from bench.upload_stages import Stopwatch, TimedIngestion
from bench.upload_threads import THREADS, Handler, Passage, take_uploads
from shared.database.pool import Database
from shared.models.blob_events import message_document, read_blob_event
from shared.models.registrations import Origin

FULL, QUICK = 1000, 40
"""Blobs."""

_WARM_UP = 20
_ORIGIN = Origin("bench")


def run(count: int) -> list[Figures]:
    """Through the app, then with our own threads and stopwatches, then without the registry."""
    with upload_services() as services:
        app = _through_app(services, count)
        timed, watch = _with_stopwatches(services, count)
        plain = _without_registry(services, count)
    return [
        Figures(
            f"From upload to registered: {count} blobs of 1-100 KiB, at most {DEPTH} under way",
            ("way", "blobs/s of one uploader", "median", "95th percentile"),
            [app, _whole("the service in threads of the bench", timed), _whole("SDK alone", plain)],
        ),
        _stages(timed, watch),
    ]


def _through_app(services: UploadServices, count: int) -> Sequence[str]:
    """Of the app's own threads, what it committed when."""
    with services.source() as source, running_app(services.environment, services.log):
        register_uploads(source, services.database_url, _WARM_UP, "app-warm-up")
        committed = register_uploads(source, services.database_url, count, "app")
    sent = {path: source.sent[path] for path in committed}
    began = min(each.uploaded for each in sent.values())
    return _way(
        "the app on the dev host",
        count / (max(committed.values()) - began),
        [committed[path] - sent[path].uploaded for path in committed],
    )


def _with_stopwatches(services: UploadServices, count: int) -> tuple[list[Passage], Stopwatch]:
    watch = Stopwatch()
    database = Database(services.database_url, size=THREADS, timeout_seconds=60)
    ingestion = TimedIngestion(database, services.azurite.connection_string, watch)

    def handle(body: bytes) -> None:
        ingestion.take_blob_events(services.queue, body, _ORIGIN)

    try:
        return _passages(services, handle, count, "timed", watch), watch
    finally:
        database.close()


def _without_registry(services: UploadServices, count: int) -> list[Passage]:
    """The limit: each notice is received, its blob downloaded, the notice deleted."""
    with BlobServiceClient.from_connection_string(services.azurite.connection_string) as blobs:

        def handle(body: bytes) -> None:
            blob = read_blob_event(message_document(body))
            assert blob
            blobs.get_blob_client(blob.container, blob.path).download_blob().readall()

        return _passages(services, handle, count, "plain", Stopwatch())


def _passages(
    services: UploadServices, handle: Handler, count: int, folder: str, watch: Stopwatch
) -> list[Passage]:
    storage = services.azurite.connection_string
    with (
        services.source() as source,
        QueueClient.from_connection_string(storage, services.queue) as queue,
    ):
        take_uploads(source, queue, handle, _WARM_UP, f"{folder}-warm-up")
        watch.seconds.clear()
        return take_uploads(source, queue, handle, count, folder)


def _whole(name: str, passages: Sequence[Passage]) -> Sequence[str]:
    began = min(each.uploaded for each in passages)
    rate = len(passages) / (max(each.handled for each in passages) - began)
    return _way(name, rate, [each.handled - each.uploaded for each in passages])


def _way(name: str, rate: float, seconds: Sequence[float]) -> Sequence[str]:
    return (name, f"{rate:.0f}", *_middle_and_tail(seconds))


def _stages(passages: Sequence[Passage], watch: Stopwatch) -> Figures:
    """Where the time of one blob goes, its wait for a thread included."""
    handling = [each.handled - each.picked_up for each in passages]
    timed = sum(sum(seconds) for seconds in watch.seconds.values())
    stages = {
        "notice reaches the queue": [each.noticed - each.uploaded for each in passages],
        "notice waits to be taken": [each.picked_up - each.noticed for each in passages],
        **watch.seconds,
        "notice is deleted": [each.done - each.handled for each in passages],
    }
    whole = sum(each.done - each.uploaded for each in passages)
    rows = [
        (name, *_middle_and_tail(seconds), f"{sum(seconds) / whole:.0%}")
        for name, seconds in stages.items()
    ]
    rest = (sum(handling) - timed) / whole
    return Figures(
        f"Stages of one blob, in {THREADS} threads of the bench",
        ("stage", "median", "95th percentile", "share"),
        [*rows, ("all else in the service", "", "", f"{rest:.0%}")],
    )


def _middle_and_tail(seconds: Sequence[float]) -> tuple[str, str]:
    tail = statistics.quantiles(seconds, n=20)[-1]
    return f"{statistics.median(seconds) * 1000:.1f} ms", f"{tail * 1000:.1f} ms"

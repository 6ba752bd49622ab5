"""Metrics: names, units and attributes are in docs/telemetry.md."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, perf_counter

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Histogram, Observation

_METER = metrics.get_meter("artifact_registry")
_SHORT_TO_HOURS = [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400]

FRESH_SECONDS = 150.0
"""How long what was measured is told. One instance measures, once a minute, and which one changes:
the others would go on telling what they found long ago."""


class Level:
    """How much there is of something, as it was measured last."""

    def __init__(
        self, name: str, unit: str, description: str, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._seconds = seconds
        self._found: dict[frozenset[tuple[str, str]], tuple[float, float]] = {}
        _METER.create_observable_gauge(name, [self._told], unit, description)

    def set(self, value: float, attributes: Mapping[str, str] | None = None) -> None:
        """Tell this for a while."""
        self._found[frozenset((attributes or {}).items())] = (value, self._seconds())

    def _told(self, _: CallbackOptions) -> Iterator[Observation]:
        for attributes, (value, since) in list(self._found.items()):
            if self._seconds() - since < FRESH_SECONDS:
                yield Observation(value, dict(attributes))


REGISTRATIONS = _METER.create_counter(
    "registry.registrations", "{registration}", "Registrations, by what came of them"
)
HASHED_BYTES = _METER.create_counter("registry.hash.size", "By", "Bytes of blobs that were hashed")
HASHING_SECONDS = _METER.create_histogram(
    "registry.hash.duration",
    "s",
    "How long hashing a blob took, reading it included",
    explicit_bucket_boundaries_advisory=_SHORT_TO_HOURS,
)
QUEUE_AGE = _METER.create_histogram(
    "registry.queue.age",
    "s",
    "How old a message was when a function took it",
    explicit_bucket_boundaries_advisory=_SHORT_TO_HOURS,
)
QUEUE_DEPTH = Level("registry.queue.depth", "{message}", "Messages in a queue, about")
QUEUE_OLDEST = Level("registry.queue.oldest", "s", "How old the first message in a queue is")
SET_ASIDE = _METER.create_counter(
    "registry.set_aside.messages", "{message}", "Messages that were set aside"
)
SET_ASIDE_DEPTH = Level(
    "registry.set_aside.open", "{message}", "Messages set aside that nobody dealt with yet"
)
TRAIL_WAITING = Level(
    "registry.audit.waiting", "{event}", "Events that are not in the audit trail yet"
)
TRAIL_LAG = Level("registry.audit.lag", "s", "How long the oldest of these events waits")
POLICY_ACTIONS = _METER.create_counter(
    "registry.policy.actions", "{artifact}", "What came of what policies wanted"
)


@contextmanager
def lasting(seconds: Histogram) -> Generator[None]:
    """Record how long what is done within takes, if it is done."""
    begun = perf_counter()
    yield
    seconds.record(perf_counter() - begun)

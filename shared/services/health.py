"""Whether what the registry depends on can be reached now."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from threading import Lock, Thread

_LOGGER = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 3.0


class HealthService:
    """Asks every dependency at once and waits for none of them longer than the time-out."""

    def __init__(
        self,
        checks: Mapping[str, Callable[[], None]],
        *,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._checks = {name: _Check(name, run) for name, run in checks.items()}
        self._timeout_seconds = timeout_seconds

    def check(self) -> dict[str, bool]:
        """Name of each dependency → whether it answered in time. Raises nothing, hangs never."""
        running = {name: check.join_or_start() for name, check in self._checks.items()}
        wait(running.values(), timeout=self._timeout_seconds)
        return {name: run.done() and run.result() for name, run in running.items()}


class _Check:
    """One dependency's check, at most one run of it at a time.

    However often readiness is asked for while a check hangs, there is one thread that hangs; and
    any number of probes at once cost the dependency one look.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._name = name
        self._run = run
        self._lock = Lock()
        self._latest: Future[bool] | None = None

    def join_or_start(self) -> Future[bool]:
        with self._lock:
            if self._latest is None or self._latest.done():
                self._latest = Future()
                # A daemon, unlike an executor's thread: a check that hangs must not keep the
                # process from ending.
                Thread(target=self._answer, args=[self._latest], daemon=True).start()
            return self._latest

    def _answer(self, answer: Future[bool]) -> None:
        try:
            self._run()
        except Exception:
            # Whatever a check raises means that it failed.
            _LOGGER.warning("dependency unavailable: name=%s", self._name, exc_info=True)
            answer.set_result(False)
        else:
            answer.set_result(True)

"""What builds without a catalogue do, in the plainest words: a model to hold them against."""

from dataclasses import dataclass, field

LAST = 100


class Refused(Exception):
    """The build does not take this now."""


@dataclass
class Attempt:
    """One attempt at a state."""

    state: int
    number: int
    status: str
    is_awaited: bool = False
    """A resume opened it, and nobody has begun it yet."""
    has_artifact: bool = False


@dataclass
class BuildModel:
    """A build: told the same, it is to have the same history as the real one."""

    status: str = "pending"
    state: int | None = None
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    resume: str | None = None
    """The status of the latest resume."""
    resumes: int = 0
    done: set[int] = field(default_factory=set[int])
    """States that were completed, but for those that a resume went back behind."""
    usable: dict[int, bool] = field(default_factory=dict[int, bool])
    """States of which an artifact was told, and whether the last one is to be gone on from."""

    @property
    def told(self) -> list[tuple[int, int, str]]:
        return [(each.state, each.number, each.status) for each in self.attempts]

    @property
    def open(self) -> Attempt | None:
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.status == "in_progress" else None

    @property
    def has_resume_under_way(self) -> bool:
        return self.resume in {"pending", "triggered", "running"}

    def tell(self, state: int, status: str, *, with_artifact: bool) -> None:
        if self.status in {"completed", "failed"}:
            raise Refused
        begun = self.open
        if begun and not begun.is_awaited and (begun.state != state or status == "in_progress"):
            raise Refused
        if self.state is not None and state <= self.state:
            raise Refused
        self._write(begun, state, status)
        if with_artifact:
            self.usable[state] = status == "completed"
            self.attempts[-1].has_artifact = True
        elif status == "completed" and self.attempts[-1].has_artifact:
            self.usable[state] = True
        self.status = "in_progress"
        if status == "completed":
            self.state = state
            self.done.add(state)
            if state == LAST:
                self._end("completed")

    def fail(self) -> None:
        if self.status == "completed":
            raise Refused
        if self.status == "failed":
            return
        if self.open:
            self._close(self.open)
        self._end("failed")

    def resume_from(self) -> int | None:
        """Where a resume would go on. Raises Refused where there is no such state."""
        if self.state is None:
            return None
        fit = [state for state in self.done if self.usable.get(state)]
        if not fit:
            raise Refused
        return max(fit)

    def begin_resume(self) -> None:
        if self.status in {"pending", "completed"} or self.has_resume_under_way:
            raise Refused
        self.state = self.resume_from()
        beyond = -1 if self.state is None else self.state
        self.done = {state for state in self.done if state <= beyond}
        self.usable = {state: fit and state <= beyond for state, fit in self.usable.items()}
        if self.open:
            self._close(self.open)
        later = [each.state for each in self.attempts if each.state > beyond]
        if later:
            self._write(None, min(later), "in_progress")
            self.attempts[-1].is_awaited = True
        self.resume, self.resumes, self.status = "pending", self.resumes + 1, "in_progress"

    def move_resume(self, status: str) -> None:
        order = ["pending", "triggered", "running", "completed"]
        if status == self.resume:
            return
        if not self.has_resume_under_way:
            raise Refused
        if status == "failed":
            if self.open:
                self._close(self.open)
            self._end("failed")
            return
        if order.index(status) < order.index(self.resume or "pending"):
            raise Refused
        self.resume = status

    def _write(self, begun: Attempt | None, state: int, status: str) -> None:
        if begun is None or begun.state != state:
            number = 1 + max((a.number for a in self.attempts if a.state == state), default=0)
            if begun is None:
                begun = Attempt(state, number, status)
                self.attempts.append(begun)
            begun.state, begun.number = state, number
        begun.status, begun.is_awaited = status, False
        if status == "failed":
            self.usable[state] = False

    def _close(self, begun: Attempt) -> None:
        begun.status, begun.is_awaited = "failed", False
        self.usable[begun.state] = False

    def _end(self, status: str) -> None:
        self.status = status
        if self.has_resume_under_way:
            self.resume = status

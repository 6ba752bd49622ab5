"""Many builds at once, which fail, are resumed and go on: every history is the model's."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from shared.errors import BuildStateRefused, ResumeNotPossible, ResumeUnderWay
from shared.models.build_resumes import Resume, ResumeStatus
from shared.services.build_surface import Builds
from tests.integration.build_model import BuildModel, Refused
from tests.integration.building import OneBuild

_STEPS = 30
_RACES = 0.2
_STATES = (0, 10, 20, 35, 60, 100)
_REFUSALS = (BuildStateRefused, ResumeNotPossible, ResumeUnderWay)


@dataclass
class Replay:
    """A build and its model, told the same."""

    build: OneBuild
    chance: random.Random
    model: BuildModel = field(default_factory=BuildModel)
    latest: Resume | None = None
    refused: int = 0

    def run(self) -> "Replay":
        for _ in range(_STEPS):
            self._step()
            assert self.build.told == self.model.told
            now = self.build.now
            assert (now.status, now.state, now.resumes, now.attempts) == (
                self.model.status,
                self.model.state,
                self.model.resumes,
                len(self.model.attempts),
            )
            context = self.build.builds.resumes.context(self.build.id)
            assert context.can_resume == self._could_resume()
            if self.latest is not None:
                latest = self.build.builds.resumes.get(self.build.id, self.latest.id)
                assert latest.status == self.model.resume
        return self

    def _step(self) -> None:
        match self.chance.choices(("tell", "fail", "resume", "move"), (12, 2, 4, 3))[0]:
            case "tell":
                self._tell()
            case "fail":
                self._both(self.model.fail, self.build.fail)
            case "resume":
                self._both(self.model.begin_resume, self._resume)
            case _:
                self._move()

    def _tell(self) -> None:
        begun = self.model.open
        likely = begun.state if begun and self.chance.random() < 0.8 else self._next()
        status = self.chance.choices(("completed", "in_progress", "failed"), (6, 3, 2))[0]
        with_artifact = self.chance.random() < 0.5
        tell = self.build.tell_with_artifact if with_artifact else self.build.tell
        self._both(
            lambda: self.model.tell(likely, status, with_artifact=with_artifact),
            lambda: tell(likely, status),
        )

    def _next(self) -> int:
        later = [
            state
            for state in _STATES
            if state > (-1 if self.model.state is None else self.model.state)
        ]
        return later[0] if later and self.chance.random() < 0.8 else self.chance.choice(_STATES)

    def _resume(self) -> None:
        self.latest = self.build.resume()

    def _move(self) -> None:
        if self.latest is None:
            return
        latest, status = self.latest, self.chance.choice(list(ResumeStatus))
        self._both(
            lambda: self.model.move_resume(status.value), lambda: self.build.move(latest, status)
        )

    def _could_resume(self) -> bool:
        if self.model.status in {"pending", "completed"} or self.model.has_resume_under_way:
            return False
        try:
            self.model.resume_from()
        except Refused:
            return False
        return True

    def _both(self, model: Callable[[], object], real: Callable[[], object]) -> None:
        """Tell both the same; now and then, two build servers do so at once."""
        times = 2 if self.chance.random() < _RACES else 1
        expected = [_is_taken(model, Refused) for _ in range(times)]
        with ThreadPoolExecutor(times) as servers:
            asked = [servers.submit(_is_taken, real, *_REFUSALS) for _ in range(times)]
            taken = [each.result() for each in asked]
        self.refused += taken.count(False)
        assert sorted(taken) == sorted(expected)


def _is_taken(tell: Callable[[], object], *refusals: type[Exception]) -> bool:
    try:
        tell()
    except refusals:
        return False
    return True


@pytest.mark.parametrize("count", [15, pytest.param(50, marks=pytest.mark.long)])
def test_builds_at_once_have_the_histories_of_their_models(builds: Builds, count: int) -> None:
    replays = [
        Replay(OneBuild.begun(builds, f"build-{seed}"), random.Random(seed))  # noqa: S311 - no secret
        for seed in range(count)
    ]
    with ThreadPoolExecutor(count) as pool:
        done = list(pool.map(Replay.run, replays))
    assert any(replay.model.resumes > 1 for replay in done)
    assert {replay.model.status for replay in done} >= {"completed", "failed", "in_progress"}
    assert sum(replay.refused for replay in done) > count

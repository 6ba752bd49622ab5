"""`docs/failures.md` speaks of reasons that there are."""

import re
from pathlib import Path

from shared import errors
from shared.models.set_aside import FailureState
from shared.services.poison_queues import REASON
from shared.services.set_aside import reason_of

PAGE = (Path(__file__).parents[2] / "docs" / "failures.md").read_text()


def test_every_reason_of_the_table_is_one_that_a_message_is_set_aside_for() -> None:
    table = PAGE.partition("## Reasons")[2].partition("## States")[0]
    told = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)))
    final = [
        fault
        for fault in vars(errors).values()
        if isinstance(fault, type) and issubclass(fault, errors.RegistryError)
    ]
    reasons = {reason_of(fault) for fault in final if not issubclass(fault, errors.Retryable)} | {
        REASON
    }
    assert len(told) > 8
    assert set(told) <= reasons


def test_every_state_is_drawn() -> None:
    drawn = PAGE.partition("stateDiagram-v2")[2].partition("```")[0]
    assert {word for word in re.findall(r"[a-z]+", drawn) if word in set(FailureState)} == set(
        FailureState
    )

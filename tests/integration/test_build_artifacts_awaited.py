"""Who waits for whom, where several are at the artifacts of one build."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.errors import ArtifactNameTaken
from shared.models.build_artifacts import BuildArtifact
from shared.services.build_artifact_requests import artifact_request
from tests.end_to_end.waiting import wait_for
from tests.integration.clock import TickingClock
from tests.integration.keeping import Keeping, asked, kept
from tests.integration.locks import somebody_waits
from tests.integration.messages import ORIGIN

__all__ = ["kept"]  # a fixture that is asked for by its name

PLACING = "SELECT pg_advisory_xact_lock(hashtext('registry.holds'), 0)"
"""What placing a hold begins with: it is alone then."""


def delete(kept: Keeping, artifact: BuildArtifact) -> BuildArtifact:
    return kept.delete(artifact)


def rename(kept: Keeping, artifact: BuildArtifact) -> BuildArtifact:
    return kept.change(artifact, artifact_name="other")


@pytest.mark.parametrize("act", [delete, rename])
def test_who_waits_for_a_hold_keeps_nobody_from_the_build(
    kept: Keeping,
    sql: psycopg.Connection[DictRow],
    act: Callable[[Keeping, BuildArtifact], BuildArtifact],
) -> None:
    made = kept.put()
    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            sql.execute(PLACING)
            acting = thread.submit(act, kept, made)
            wait_for("somebody who waits", lambda: somebody_waits(sql))
            assert kept.change(made, is_final=True).is_final
            assert kept.put("another").revision == 1
            assert not acting.done()
        assert acting.result(timeout=30).updated_at > made.updated_at


def test_a_name_that_is_being_given_to_another_is_taken(
    kept: Keeping, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    """By somebody who does not hold the build."""
    made = kept.put()
    other = artifact_request(kept.build_id, asked("other"), origin=ORIGIN, at=clock.now)
    with ThreadPoolExecutor(1) as thread:
        with sql.transaction():
            register = "SELECT (artifact).artifact_id AS id FROM registry.register_artifact(%s)"
            [registered] = sql.execute(register, [Jsonb(other["registration"])]).fetchall()
            renaming = thread.submit(rename, kept, made)
            wait_for("somebody who waits", lambda: somebody_waits(sql))
        with pytest.raises(ArtifactNameTaken) as refused:
            renaming.result(timeout=30)
    assert refused.value.artifact_id == registered["id"]
    assert kept.seen(made) == made

"""Who waits for whom, where several are at the artifacts of one build."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.models.build_artifacts import BuildArtifact
from tests.end_to_end.waiting import wait_for
from tests.integration.keeping import Keeping, kept
from tests.integration.locks import somebody_waits

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

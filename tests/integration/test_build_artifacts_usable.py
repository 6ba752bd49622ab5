"""Which artifacts a build can be resumed with; and that a name has one bearer, whoever is at it."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import errors as database_errors
from psycopg.rows import DictRow

from shared.errors import ArtifactConflict, ArtifactNameTaken, InvalidTransition
from shared.models.build_artifacts import BuildArtifact
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from tests.integration.clock import TickingClock
from tests.integration.keeping import Keeping, another, kept
from tests.integration.messages import ORIGIN
from tests.integration.rehydrating import events

__all__ = ["kept"]  # a fixture that is asked for by its name

THREADS, ROUNDS = 8, 25
NAMES = ("base", "disk", "final")


def usable(sql: psycopg.Connection[DictRow], kept: Keeping, clock: TickingClock) -> set[UUID]:
    rows = sql.execute(
        "SELECT id FROM registry.usable_build_artifacts(%s, %s)", [kept.build_id, clock.now]
    )
    return {row["id"] for row in rows}


def test_what_is_resumable_live_and_not_expired_is_usable(
    kept: Keeping,
    builds: Builds,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    good = {kept.put().id, kept.put("later", expires_at="2030-01-01T00:00:00Z").id}
    kept.put("not resumable", is_resumable=False)
    kept.delete(kept.put("deleted"))
    artifacts.mark_archived(kept.put("archived").id)
    kept.put("superseded")
    good.add(kept.put("superseded", overwrite=True).id)
    expiring = kept.put("expiring", expires_at=clock.now + timedelta(minutes=1))
    another(kept, builds).put()
    assert usable(sql, kept, clock) == {*good, expiring.id}
    clock.now += timedelta(minutes=1)
    assert usable(sql, kept, clock) == good


FOUND: dict[str, LiteralString] = {
    "corrupt": "UPDATE registry.artifacts SET found_corrupt_at = now()",
    "missing": "UPDATE registry.artifacts SET missing_since = now()",
    "not readable": "UPDATE registry.artifacts SET storage_tier = 'Archive'",
    "left behind": "UPDATE registry.build_artifacts SET left_behind_at = now()",
}


@pytest.mark.parametrize("what", FOUND)
def test_what_nobody_is_to_go_on_from_is_not_usable(
    kept: Keeping, clock: TickingClock, sql: psycopg.Connection[DictRow], what: str
) -> None:
    made = kept.put()
    assert usable(sql, kept, clock) == {made.id}
    sql.execute(FOUND[what])
    assert usable(sql, kept, clock) == set()
    assert kept.listed() == [made.id]


def test_what_can_be_read_again_is_usable(
    kept: Keeping, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    made = kept.put()
    sql.execute("UPDATE registry.artifacts SET storage_tier = 'Cold'")
    assert usable(sql, kept, clock) == {made.id}


def test_what_was_left_behind_is_taken_up_by_an_explicit_word(
    kept: Keeping, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    made = kept.put()
    sql.execute(FOUND["left behind"])
    left = kept.change(made, is_final=True)
    assert left.left_behind_at is not None
    again = kept.change(made, is_resumable=True)
    assert (again.left_behind_at, usable(sql, kept, clock)) == (None, {made.id})
    assert again.updated_at > left.updated_at
    [event] = events(sql, "artifact_taken_up")
    assert event["actor"] == ORIGIN.actor
    assert event["details"]["before"].keys() == event["details"]["after"].keys()
    assert kept.change(made, is_resumable=True) == again
    assert len(events(sql, "artifact_taken_up")) == 1


REWRITES: list[LiteralString] = [
    "UPDATE registry.assets SET client_type = 'other'",
    "UPDATE registry.assets SET asset_id = gen_random_uuid()",
    "UPDATE registry.assets SET created_at = now()",
    'UPDATE registry.assets SET client_refs = client_refs || \'{"build_id": "other"}\'',
    "UPDATE registry.assets SET client_refs = client_refs || '{\"further\": 1}'",
]


@pytest.mark.parametrize("rewrite", REWRITES)
def test_of_a_builds_asset_nothing_but_its_name_changes(
    kept: Keeping, sql: psycopg.Connection[DictRow], rewrite: LiteralString
) -> None:
    kept.put()
    with pytest.raises(database_errors.IntegrityError, match="identity"):
        sql.execute(rewrite)


def test_an_asset_of_another_kind_keeps_its_name(
    artifacts: ArtifactService, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts.create_artifact(client_type="builds", client_refs={"name": "base"})
    with pytest.raises(database_errors.IntegrityError, match="identity"):
        sql.execute('UPDATE registry.assets SET client_refs = \'{"name": "other"}\'')


def act_at_random(kept: Keeping, seed: int, start: threading.Barrier) -> int:
    """Register, rename and delete; answers with how many were registered."""
    chance = random.Random(seed)  # noqa: S311 - nothing to be kept secret
    registered: list[BuildArtifact] = []

    def register() -> None:
        overwrite = chance.random() < 0.5
        registered.append(kept.put(chance.choice(NAMES), overwrite=overwrite))

    def rename() -> None:
        kept.change(chance.choice(registered), artifact_name=chance.choice(NAMES))

    def delete() -> None:
        kept.delete(chance.choice(registered))

    actions: list[Callable[[], None]] = [register, rename, delete]
    start.wait()
    for _ in range(ROUNDS):
        with suppress(ArtifactConflict, ArtifactNameTaken, InvalidTransition):
            (chance.choice(actions) if registered else register)()
    return len(registered)


def test_a_name_has_one_bearer_however_many_are_at_it(
    kept: Keeping, sql: psycopg.Connection[DictRow]
) -> None:
    start = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        acting = [threads.submit(act_at_random, kept, seed, start) for seed in range(THREADS)]
        made = sum(each.result() for each in acting)
    listed = [kept.service.get(kept.build_id, artifact_id) for artifact_id in kept.listed()]
    names = [artifact.artifact_name for artifact in listed]
    assert len(names) == len(set(names))
    [run] = sql.execute("SELECT artifacts FROM registry.runs").fetchall()
    [told] = sql.execute("SELECT count(*) AS n FROM registry.build_artifacts").fetchall()
    assert run["artifacts"] == told["n"] == made
    for name in NAMES:
        if name in names:
            with pytest.raises(ArtifactConflict):
                kept.put(name)
        else:
            kept.put(name)
    assert len(kept.listed()) == len(NAMES)

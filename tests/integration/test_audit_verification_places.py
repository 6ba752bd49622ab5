"""Whoever changes the database too, or the seals, is found by what is left."""

import json
from datetime import timedelta
from typing import Any

import pytest

from devhost.stack.azurite import Azurite
from shared.models.audit_proof import Reason
from shared.models.audit_seals import DaySeal, SealKeys, seal_path
from tests.integration.backfilling import Command, command
from tests.integration.proving import FIRST_DAY, Proving, forged, hash_in
from tests.integration.sealed import own_sealed, proof, sealed, sealed_once

__all__ = [  # fixtures that are asked for by their names
    "command",
    "own_sealed",
    "proof",
    "sealed",
    "sealed_once",
]


def found_in(proof: Proving) -> tuple[int | None, Reason]:
    found = proof.verify()
    assert found.first_bad is not None
    return found.first_bad[:2]


def rewrite(proof: Proving, number: int, **changes: Any) -> None:
    """In all places of the table, and in the database's digest: each is right in itself."""
    changed = forged(proof.entity(number), **changes)
    for layout in ("day", "artifact"):
        if layout == "day" or changed["Artifact"]:
            proof.put(forged(proof.entity(number, layout), **changes))
    update = "UPDATE registry.trail SET hash = %s WHERE number = %s"
    proof.sql.execute(update, [hash_in(changed), number])


@pytest.mark.parametrize("number", [1, 15, 32])
def test_an_event_that_is_rewritten_everywhere_is_not_the_one_that_the_next_names(
    sealed: Proving, number: int
) -> None:
    rewrite(sealed, number, actor="key:somebody")
    found = sealed.verify()
    assert found.first_bad is not None
    expected = {"chain": 1} if number > 30 else {"chain": 1, "root": 1}
    assert found.faults == expected
    assert found.first_bad.number == number


def test_an_event_that_names_another_before_it_is_the_one_to_blame(sealed: Proving) -> None:
    sealed.sql.execute("UPDATE registry.trail_days SET seal = NULL, sealed_at = NULL")
    for path in list(sealed.container.list_blob_names()):
        sealed.container.delete_blob(path)
    rewrite(sealed, 15, previous="ab" * 32)
    assert found_in(sealed) == (15, Reason.CHAIN)
    rewrite(sealed, 1, previous="ab" * 32)
    assert found_in(sealed) == (1, Reason.CHAIN)


def test_the_last_event_of_a_shard_is_not_what_the_database_goes_on_with(sealed: Proving) -> None:
    rewrite(sealed, 40, success=False)
    assert found_in(sealed) == (40, Reason.CHAIN)


def test_a_trail_that_is_written_anew_as_a_whole_is_not_what_was_sealed(sealed: Proving) -> None:
    sealed.sql.execute("UPDATE registry.trail SET hash = sha256(hash)")
    found = sealed.verify()
    assert found.faults[Reason.ROOT] == 3


@pytest.mark.parametrize(
    ("statement", "number", "reason"),
    [
        ("DELETE FROM registry.trail WHERE number = 15", 15, Reason.GAP),
        ("DELETE FROM registry.trail WHERE number > 35", 36, Reason.GAP),
        ("UPDATE registry.trail SET hash = sha256('') WHERE number = 33", 33, Reason.EDITED),
        ("UPDATE registry.trail SET event_id = asset_id()", 31, Reason.DIGEST),
        ("UPDATE registry.trail SET artifact_id = NULL WHERE number = 37", 37, None),
        ("UPDATE registry.trail SET shard = (shard + 1) % 4 WHERE number = 33", 33, None),
        (
            "UPDATE registry.trail SET recorded_at = recorded_at + '1 day' WHERE number = 33",
            33,
            None,
        ),
        ("DELETE FROM registry.trail_days WHERE day = '2030-01-31'", 11, Reason.DAYS),
        ("DELETE FROM registry.trail_days WHERE day = '2030-02-02'", 31, Reason.DAYS),
        ("UPDATE registry.trail_days SET last_number = 35 WHERE first_number = 31", 36, None),
        ("UPDATE registry.trail_end SET number = 41", 41, Reason.DAYS),
    ],
    ids=range(11),
)
def test_what_is_changed_in_the_database_is_found_by_the_table(
    sealed: Proving, statement: str, number: int, reason: Reason | None
) -> None:
    numbered = statement.replace("asset_id()", "gen_random_uuid() WHERE number = 31")
    sealed.sql.execute(numbered.encode())
    found = found_in(sealed)
    assert found[0] == number
    assert reason in {None, found[1]}


def test_an_event_that_is_gone_from_table_and_database_leaves_a_gap(sealed: Proving) -> None:
    sealed.remove(sealed.entity(35))
    sealed.remove(sealed.entity(35, "artifact"))
    sealed.sql.execute("DELETE FROM registry.trail WHERE number = 35")
    assert found_in(sealed) == (35, Reason.GAP)


def test_an_event_that_is_put_into_a_sealed_day_with_a_digest_of_its_own_is_found(
    sealed: Proving,
) -> None:
    """As if it had come while the verification was under way."""
    invented = forged(sealed.entity(5), number=10**6)
    sealed.put(invented)
    insert = """
        INSERT INTO registry.trail (number, event_id, recorded_at, shard, artifact_id, hash)
        SELECT 1000000, event_id, recorded_at, shard, artifact_id, %s FROM registry.trail
        WHERE number = 5
    """
    sealed.sql.execute(insert, [hash_in(invented)])
    assert found_in(sealed) == (10**6, Reason.DIGEST)


def seal_of(proof: Proving, place: int) -> DaySeal:
    rows = proof.sql.execute("SELECT seal FROM registry.trail_days ORDER BY day").fetchall()
    return DaySeal.read(rows[place]["seal"])


def put_seal(proof: Proving, seal: DaySeal, text: str | None = None) -> None:
    """In both places."""
    statement = "UPDATE registry.trail_days SET seal = %s WHERE day = %s"
    proof.sql.execute(statement, [text or seal.text, seal.day])
    proof.container.upload_blob(seal_path(seal.day), text or seal.text, overwrite=True)


def test_a_seal_that_is_gone_or_another_one_outside_is_found(sealed: Proving) -> None:
    path, text = seal_path(FIRST_DAY + timedelta(days=1)), seal_of(sealed, 1).text
    sealed.container.delete_blob(path)
    assert found_in(sealed) == (11, Reason.SEAL)
    sealed.container.upload_blob(path, seal_of(sealed, 0).text)
    assert found_in(sealed) == (11, Reason.SEAL)
    sealed.container.upload_blob(path, text, overwrite=True)
    assert sealed.verify().is_whole


def test_a_seal_that_the_database_lost_is_found(sealed: Proving) -> None:
    sealed.sql.execute(
        "UPDATE registry.trail_days SET seal = NULL, sealed_at = NULL WHERE day = %s", [FIRST_DAY]
    )
    assert found_in(sealed) == (11, Reason.SEAL)


def test_days_that_the_database_lost_are_known_by_their_seals(sealed: Proving) -> None:
    sealed.container.upload_blob("2031/01/2031-01-01.json", seal_of(sealed, 2).text)
    assert found_in(sealed) == (None, Reason.SEAL)


@pytest.mark.parametrize("change", ["signature", "key", "root", "previous", "text", "form", "junk"])
def test_a_seal_that_nobody_signed_so_is_found(sealed: Proving, change: str) -> None:
    seal = seal_of(sealed, 1)
    others = SealKeys.of("", "the pepper of somebody who forges, long enough")
    text = None
    if change == "signature":
        seal = seal.model_copy(update={"signature": "00" * 64})
    elif change == "key":
        unsigned = seal.model_copy(update={"key_id": others.key_id})
        signature = others.own.sign(unsigned.signed).hex()
        seal = unsigned.model_copy(update={"signature": signature})
    elif change == "root":
        seal = seal.model_copy(update={"root": "00" * 32})
    elif change == "previous":
        seal = seal.model_copy(update={"previous_seal": "00" * 32})
    elif change == "text":
        text = json.dumps(json.loads(seal.text), indent=1)
    else:
        text = "{}" if change == "form" else "\x01 no seal"
    put_seal(sealed, seal, text)
    assert found_in(sealed) == (11, Reason.SEAL)


def test_a_seal_of_our_own_key_that_says_otherwise_is_found(sealed: Proving) -> None:
    """Who has the key signs what he likes; the seals after it name the one that was."""
    seal = seal_of(sealed, 1).model_copy(update={"root": "00" * 32})
    signature = sealed.keys.own.sign(seal.signed).hex()
    put_seal(sealed, seal.model_copy(update={"signature": signature}))
    found = sealed.verify()
    assert found.faults == {Reason.ROOT: 1, Reason.SEAL: 1}
    assert found.first_bad is not None
    assert found.first_bad.number == 11


@pytest.mark.parametrize("output", ["json", "table"])
def test_the_command_says_that_the_trail_is_whole(
    command: Command, proof: Proving, azurite: Azurite, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_AUDIT_TABLE", proof.trail.prefix)
    monkeypatch.setenv("REGISTRY_AUDIT_SEAL_CONTAINER", proof.container.container_name)
    proof.live(days=1, events=3)
    told = command("audit", "verify", "-o", output)
    assert told.exit_code == 0, told.stderr
    if output == "json":
        said = json.loads(told.stdout)
        assert (said["is_whole"], said["events"], said["copies"]) == (True, 3, 2)


def test_the_command_names_the_first_bad_event(
    command: Command, proof: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_AUDIT_TABLE", f"{proof.trail.prefix[:30]}x")
    monkeypatch.setenv("REGISTRY_AUDIT_SEAL_CONTAINER", proof.container.container_name)
    proof.live(days=1, events=3)
    told = command("audit", "verify", "-o", "json")  # other tables: this one's are missing
    assert told.exit_code == 1
    assert json.loads(told.stdout)["faults"] == {"missing": 5}
    assert told.stderr.startswith("error: event 1: the table lacks")


def test_days_that_are_none_are_refused(command: Command) -> None:
    told = command("audit", "verify", "--start", "yesterday")
    assert (told.exit_code, "2030-01-31" in told.stderr) == (2, True)
    told = command("audit", "verify", "--start", "2030-01-02", "--end", "2030-01-01")
    assert (told.exit_code, told.stderr) == (2, "error: --end is before --start\n")


def test_a_month_that_was_dropped_is_proven_by_its_seals(own_sealed: Proving) -> None:
    sql = own_sealed.sql
    own_sealed.trail.table.drop(FIRST_DAY.replace(day=1))
    sql.execute("DELETE FROM registry.trail WHERE number <= 20")
    assert found_in(own_sealed) == (1, Reason.GAP)
    sql.execute("""
        INSERT INTO registry.trail_months
            (month, exported_to, exported_at, events, sha256, dropped_at)
        VALUES ('2030-01-01', 'somewhere', now(), 20, '', now())
    """)
    found = own_sealed.verify()
    assert (found.is_whole, found.events, found.dropped_days) == (True, 20, 2)
    assert own_sealed.verify(FIRST_DAY + timedelta(days=2)).is_whole

    sql.execute("UPDATE registry.trail_days SET last_number = 9 WHERE first_number = 1")
    assert found_in(own_sealed) == (1, Reason.SEAL)

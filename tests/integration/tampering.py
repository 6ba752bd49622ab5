"""Hands on the audit trail's table: each changes one place, and can take it back."""

from collections.abc import Callable
from random import Random

from shared.models.audit import KeptEvent
from shared.models.audit_entities import (
    Entity,
    artifact_partition,
    day_partition,
    entities_of,
    key_of,
    row_key,
)
from tests.integration.auditing import event_in
from tests.integration.proving import Proving

Undo = Callable[[], None]
Tampering = Callable[[Proving, Entity, Entity, Random], tuple[Undo, set[str]]]
"""Takes an entity to change, another one of the same layout, and chance. Answers with how to take
it back, and with the reasons that may be told."""

_EDITS = ("Hash", "Time", "Operation", "Action", "Actor", "Success", "Run", "Artifact", "Event")


def edit(proof: Proving, entity: Entity, _: Entity, chance: Random) -> tuple[Undo, set[str]]:
    """One property, by one character where it is text, by its type where it is none."""
    name = chance.choice(_EDITS)
    proof.put(entity | {name: _edited(entity[name], chance)})
    return lambda: proof.put(entity), {"edited", "swapped"}


def rewrite(proof: Proving, entity: Entity, _: Entity, chance: Random) -> tuple[Undo, set[str]]:
    """The whole event, right in itself: its hash and what is asked by fit it."""
    told = event_in(entity).model_copy(update={"actor": f"key:{chance.random()}"})
    kept = KeptEvent(told.canonical.decode(), told)
    [forged] = [own for own in entities_of(kept) if key_of(own) == key_of(entity)]
    proof.put(forged)
    return lambda: proof.put(entity), {"edited"}


def delete(proof: Proving, entity: Entity, _: Entity, chance: Random) -> tuple[Undo, set[str]]:
    proof.remove(entity)
    return lambda: proof.put(entity), {"missing"}


def swap(proof: Proving, entity: Entity, other: Entity, _: Random) -> tuple[Undo, set[str]]:
    """What two entities hold, each under the key of the other."""
    proof.put(other | _key(entity))
    proof.put(entity | _key(other))

    def undo() -> None:
        proof.put(entity)
        proof.put(other)

    return undo, {"swapped"}


def insert(proof: Proving, entity: Entity, _: Entity, chance: Random) -> tuple[Undo, set[str]]:
    """An event that never was, or one more copy of one that was."""
    event = event_in(entity)
    partition, row = key_of(entity)
    later = row_key(event.recorded_at, event.number + 10**6)
    invented = chance.choice(
        [
            {"RowKey": later},
            {"RowKey": row_key(event.recorded_at.replace(microsecond=999_000), event.number)},
            {"PartitionKey": artifact_partition(event.event_id)},
            {"PartitionKey": day_partition(event.recorded_at.date(), (event.shard + 1) % 4)},
            {"PartitionKey": day_partition(event.recorded_at.date(), 7)},
            {"PartitionKey": "another", "RowKey": later},
            {"RowKey": row + "0"},
            {"RowKey": row[:-1] + "x"},
        ]
    )
    added = entity | invented
    assert key_of(added) != (partition, row)
    proof.put(added)
    return lambda: proof.remove(added), {"inserted"}


TAMPERINGS: dict[str, Tampering] = {
    "edit": edit,
    "rewrite": rewrite,
    "delete": delete,
    "swap": swap,
    "insert": insert,
}


def _edited(value: object, chance: Random) -> object:
    if isinstance(value, bool):
        return chance.choice([not value, int(value), float(value)])
    text = str(value)
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice("0123456789abcdef ~") + text[place:]


def _key(entity: Entity) -> Entity:
    return {name: entity[name] for name in ("PartitionKey", "RowKey")}

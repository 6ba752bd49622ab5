"""For every named query: parameters under which it has to look at as much as it ever may."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Json, Jsonb

from tests.integration import audit_plan_cases, build_plan_cases, policy_plan_cases
from tests.integration.plan_questions import NOW, Case, identifier

HASH_OF_A_FIFTH = "1220" + hashlib.sha256(b"shared").hexdigest()
A_DAY = {"created_from": "2026-01-01T00:00:00Z", "created_before": "2026-01-02T00:00:00Z"}


def cases() -> Iterator[Case]:
    yield from _of_backfills()
    yield from _of_one_artifact()
    yield from _of_one_asset()
    yield from _of_changes()
    yield from _of_references()
    yield from _of_lists()
    yield from _of_keys()
    yield from _of_rules()
    yield from policy_plan_cases.cases()
    yield from build_plan_cases.cases()
    yield from audit_plan_cases.cases()
    yield from _of_figures()
    yield from _of_integrity()
    yield from _of_locations()
    yield from _of_failures()


def _of_backfills() -> Iterator[Case]:
    due = {"now": NOW, "again_at": NOW, "limit": 10}
    yield Case("backfills.claim_unhashed", due, rows=40)
    yield Case("rehydrations.claim_due", due, rows=40)
    yield Case("rehydrations.claim_verifications", due, rows=40)
    where = {"run_id": UUID(int=0), "storage_account": "a", "container": "c"}
    listed = {"paths": ["p/78", "p/79", "none"], "etags": ["e1", "e2", "e1"], "sizes": [78, 79, 0]}
    yield Case("reconciliations.compare_listed", where | listed, rows=12)
    for prefix in ("", "p/7", "none/"):
        page = {"prefix": prefix, "after_path": "p/5", "after_id": UUID(int=0), "limit": 10}
        yield Case("reconciliations.compare_registered", where | page, rows=20)
    runs = {"first_run": UUID(int=1), "last_run": UUID(int=1), "limit": 10}
    yield Case("reconciliations.forget", runs, rows=20)


def _of_one_artifact() -> Iterator[Case]:
    identity = {"client_type": "blob", "client_refs": Jsonb({"account": "a", "path": "p/78"})}
    location = {"storage_account": "a", "container": "c", "blob_path": "p/78", "blob_etag": "e1"}
    artifact = {"artifact_id": identifier("artifact 78")}
    several = [identifier(f"artifact {i}") for i in range(100, 150)]
    yield Case("artifacts.get_each", {"artifact_ids": several}, rows=120)
    yield Case(
        "artifacts.of_stac_item", {"collection_id": "collection", "item_id": "item 78"}, rows=4
    )
    yield Case("artifacts.observe", identity | location, rows=3)
    yield Case("artifacts.next_observation")
    for job in ("job 7", "nightly"):
        asked = {"job_id": job, "after": UUID(int=0), "limit": 10}
        yield Case("artifacts.of_job", asked, rows=20)
    yield Case("transitions.hold", artifact, rows=12)
    yield Case("rehydrations.pending", artifact, rows=1)
    yield Case("rehydrations.is_verification_due", artifact, rows=1)
    for target in ("archived", "purged"):
        asked = artifact | {"target": target, "at": datetime(2026, 1, 1, tzinfo=UTC)}
        yield Case("transitions.hold_bytes", asked, rows=20)
    yield Case("holds.get", {"hold_id": identifier("hold 7")}, rows=1)
    for name in ("page", "unreleased_page"):
        yield Case(f"holds.{name}", {"before_id": UUID(int=2**128 - 1), "limit": 10}, rows=20)
    yield Case("transitions.is_state_of_another", artifact | {"blob_etag": "e2"}, rows=4)


def _of_locations() -> Iterator[Case]:
    place = {"storage_account": "a", "container": "c"}
    nil = str(UUID(int=0))
    look: dict[str, Any] = place | {
        "observation": 10**9,
        "versions": [],
        "after": nil,
        "most": 10,
        "origin": {"actor": "test"},
        "at": NOW.isoformat(),
    }
    deleted = {"client_type": "blob", "client_refs": {"account": "a", "path": "p/78"}}
    gone = look | {"blob_path": "p/78", "deleted": deleted}
    found = look | {"blob_path": "p/79", "blob_etag": "e1", "storage_tier": "Cool"}
    yield Case("locations.sight", {"request": Jsonb(gone)}, rows=40)
    yield Case("locations.sight", {"request": Jsonb(found)}, rows=30)
    moved = look | {
        "artifact_id": str(identifier("artifact 82")),
        "content_hash": "1220" + hashlib.sha256(b"82").hexdigest(),
        "left": place | {"blob_path": "p/82"},
        "absence": 10**9,
        "artifact": place | {"blob_path": "q/82", "blob_etag": "e2", "observation": 10**8},
    }
    yield Case("locations.move", {"request": Jsonb(moved)}, rows=20)
    for folder, after in (("p", "p/78"), ("p", ""), ("none", "")):
        asked = place | {"folder": folder, "after_path": after, "after_id": nil, "limit": 10}
        yield Case("locations.paths_under", asked, rows=20)


def _of_one_asset() -> Iterator[Case]:
    yield Case(
        "assets.exact",
        {"client_type": "blob", "client_refs": Jsonb({"account": "a", "path": "p/78"})},
        rows=1,
    )
    asset = {"asset_id": identifier("asset 0")}
    yield Case("assets.current", asset, rows=4)
    yield Case("assets.history", asset | {"below": 900, "limit": 10}, rows=20)
    for direction in ("both", "backward", "forward"):
        asked = {"direction": direction, "after": -(2**31), "limit": 10}
        yield Case("assets.chain", asked | {"artifact_id": identifier("revision 500")}, rows=30)
    whole = {"direction": "both", "after": -(2**31), "limit": 1001}
    yield Case("assets.chain", whole | {"artifact_id": identifier("revision 1")}, rows=2010)


def _of_changes() -> Iterator[Case]:
    origin = {"actor": "test", "request_id": None}
    registration = {
        "client_type": "blob",
        "client_refs": {"account": "a", "path": "p/0", "fifth": True},
        "asset_id": str(identifier("unused")),
        "origin": origin,
        "overwrite": True,
        "register_unchanged": False,
        "is_repeatable": False,
        "once_per_state": True,
        "artifact": {
            "artifact_id": str(identifier("new")),
            "processing": "completed",
            "stage": "intermediate",
            "metadata": {"kind": "raster"},
            "is_resumable": False,
            "is_final": False,
            "created_at": NOW.isoformat(),
        },
    }
    yield Case("artifacts.register", {"request": Jsonb(registration)}, rows=12)
    deletion = {"artifact_id": str(identifier("revision 1000")), "at": NOW.isoformat()}
    yield Case(
        "transitions.move_disposition",
        {"request": Jsonb(deletion | {"disposition": "deleted", "origin": origin})},
        rows=20,
    )
    yield Case(
        "transitions.update",
        {"request": Jsonb(deletion | {"metadata": {"kind": "table"}, "origin": origin})},
        rows=20,
    )


def _of_references() -> Iterator[Case]:
    def containing(refs: dict[str, Any], **allowed: int) -> Case:
        asked = {"client_type": "blob", "client_refs": Jsonb(refs), "limit": 100}
        return Case("assets.containing", asked, **allowed)

    yield containing({"path": "p/78"}, rows=4)
    yield containing({"path": "unknown"})
    yield containing({"account": "a"}, rows=400, shortlists=3)
    yield containing({"account": "a", "fifth": True}, rows=400, shortlists=4)
    yield containing({"account": "a", "path": {}}, shortlists=4)
    yield containing({"account": "a", "other": {}}, shortlists=4)
    yield containing({"other": {}}, shortlists=4)


def _of_lists() -> Iterator[Case]:
    for is_by_update in (False, True):
        for is_descending in (False, True):
            order = {"is_by_update": is_by_update, "is_descending": is_descending}
            yield _list(order, rows=60)
            for wanted in _MET_BY_MANY:
                yield _list(order | wanted, rows=100, shortlists=5)
            for wanted in _MET_BY_FEW:
                yield _list(order | wanted, rows=100)
            for wanted in _MET_BY_NONE:
                yield _list(order | wanted, rows=100, shortlists=8)


def _list(wanted: dict[str, Any], **allowed: int) -> Case:
    return Case("listings.page", {"request": Jsonb(wanted | {"most": 10})}, **allowed)


_MET_BY_MANY: list[dict[str, Any]] = [
    {"client_type": "blob"},
    {"client_type": "blob", "client_refs": {"account": "a"}},
    {"client_type": "blob", "client_refs": {"fifth": True}},
    {"content_hash": HASH_OF_A_FIFTH},
    {"source_job_id": "nightly"},
    {"content_hash": HASH_OF_A_FIFTH, "source_job_id": "job 7"},
    {"metadata": {"kind": "raster"}},
    {"status": "active", "stage": "intermediate", "processing": "completed"},
    {"artifact_type": "raster", "storage_account": "a", "container": "c"},
    {"stac_collection_id": "collection"},
    {**A_DAY, "client_type": "blob"},
]
_MET_BY_FEW: list[dict[str, Any]] = [
    {"content_hash": "1220" + hashlib.sha256(b"78").hexdigest()},
    {"content_hash": "1220" + "0" * 64},
    {"storage_account": "a", "container": "c", "blob_path": "p/78"},
    {"stac_collection_id": "collection", "stac_item_id": "item 78"},
    {"client_type": "blob", "client_refs": {"account": "a", "path": "p/78"}},
    {"metadata": {"title": "title 78"}},
]
_MET_BY_NONE: list[dict[str, Any]] = [
    {"artifact_type": "none"},
    {"status": "superseded", "artifact_type": "none"},
    {"status": "archived", "artifact_type": "none"},
    {"stage": "published", "artifact_type": "none"},
    {"processing": "failed", "artifact_type": "none"},
    {"processing": "pending"},
    {"client_type": "rare", "artifact_type": "none"},
    {"client_type": "blob", "client_refs": {"account": "a", "other": {}}},
    {"client_refs": {"path": "p/78"}},
    {"metadata": {"kind": {}}},
    {"content_hash": HASH_OF_A_FIFTH, "source_job_id": "nightly", "artifact_type": "none"},
    {**A_DAY, "updated_from": "2026-01-01T00:00:00Z", "artifact_type": "none"},
    {"stac_item_id": "item 78"},
]


def _of_figures() -> Iterator[Case]:
    for client_type in (None, "blob", "unknown"):
        yield Case("statistics.read_statistics", {"client_type": client_type}, rows=100)
        asked = {"client_type": client_type, "first_day": "2026-01-01", "most": 10}
        yield Case("figures.read_figures", asked, rows=1000)
    yield Case("figures.read_errors", {"first_day": date(2026, 5, 1), "most": 10}, rows=32 * 20)
    nil = UUID(int=0)
    asked = {"after_asset": nil, "after_artifact": nil, "limit": 10}
    yield Case("duplicates.holding", asked | {"content_hash": HASH_OF_A_FIFTH}, rows=50)
    identity = {"client_type": "blob", "client_refs": Jsonb({"account": "a", "path": "p/78"})}
    yield Case("duplicates.current_of", identity, rows=4)
    for client_type in (None, "blob", "unknown"):
        for across_clients in (False, True):
            wanted = {"client_type": client_type, "across_clients": across_clients}
            yield Case("duplicates.groups", wanted | {"after": "", "limit": 10}, rows=10_000)


def _of_integrity() -> Iterator[Case]:
    scrub = {"bytes_per_day": 2**40, "looked_before": NOW.isoformat(), "most": 10}
    scrub |= {"most_waiting": 10, "at": NOW.isoformat()}
    yield Case("integrity.begin_scrub", {"request": Jsonb(scrub)}, rows=150)
    yield Case("integrity.results", {"first_day": NOW.date()}, rows=120)
    yield Case("integrity.oldest_look", rows=1)
    yield Case("integrity.corrupt", {"limit": 10}, rows=10)
    yield Case("integrity.waiting", {"most": 10}, rows=10)
    yield Case("integrity.id_range", rows=2)
    drawn = [identifier(f"artifact {i}") for i in range(100, 110)]
    yield Case("integrity.nearest", {"drawn": drawn}, rows=20)


def _of_keys() -> Iterator[Case]:
    key = {"key_id": identifier("key 78")}
    newest = {"key_id": UUID(int=2**128 - 1), "limit": 10}
    yield Case(
        "api_keys.valid", {"key_hash": hashlib.sha256(b"key 79").digest(), "now": NOW}, rows=1
    )
    yield Case(
        "api_keys.valid_with_artifacts",
        {"key_hash": hashlib.sha256(b"key 79").digest(), "now": NOW}
        | {"artifact_ids": [identifier(f"artifact {i}") for i in range(100, 150)]},
        rows=121,
    )
    yield Case("api_keys.get", key, rows=2)
    yield Case("api_keys.hold", key, rows=1)
    yield Case("api_keys.all_below", newest, rows=20)
    yield Case("api_keys.revoked_below", newest, rows=20)
    yield Case(
        "api_keys.ending_between",
        {"after": "-infinity", "key_id": UUID(int=0), "until": "infinity", "limit": 10},
        rows=20,
    )


def _of_rules() -> Iterator[Case]:
    yield Case("rules.version", rows=1)
    yield Case("rules.read", rows=1001)
    yield Case("rules.get", {"name": "rule 78"}, rows=1)
    yield Case("rules.hold", rows=1)
    yield Case("rules.keep", {"items": Json([{"name": "rule 78"}, {"name": "new"}])}, rows=4)
    yield Case("rules.remove", {"names": ["rule 78", "unknown"]}, rows=4)
    yield Case("rules.advance", rows=2)


def _of_failures() -> Iterator[Case]:
    failure = {"set_aside_id": identifier("message 78")}
    yield Case("set_aside.get", failure, rows=1)
    yield Case("set_aside.hold", failure, rows=1)
    yield Case("set_aside.knows", failure | {"source": "blob-events"}, rows=1)
    place = {"before_at": "infinity", "before_id": UUID(int=2**128 - 1), "limit": 10}
    for state in ("open", "replaying", "replayed"):
        for source in (None, "blob-events", "artifact-registrations", "unknown"):
            for reason in (None, "malformed_message", "blob_not_found", "unknown"):
                wanted = {"state": state, "source": source, "reason": reason}
                yield Case("set_aside.page", wanted | place, rows=60)
    yield Case("set_aside.count_open", {"most": 10}, rows=10)
    many = {"set_aside_ids": [identifier(f"message {i}") for i in range(1, 51)]}
    yield Case("set_aside.mark_asked", many | {"replays": [0] * 50}, rows=200)
    told = {"operation": "test", "at": NOW, "actor": "test", "request_id": None}
    yield Case("set_aside.record_events", told | many, rows=100)
    yield Case("set_aside.record_failure", told | failure | {"action": "test"}, rows=4)

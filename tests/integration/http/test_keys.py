"""Key management over HTTP."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import DictRow

from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.integration.http.caller import Caller, pointers, problem

KEYS = "/api/admin/keys"
HISTORY = "/api/admin/artifacts/history?client_type=x&a=b"
UNKNOWN = f"{KEYS}/{UUID(int=7)}"
EVERYTHING: list[Any] = list(Scope)
LATER = "2100-01-01T00:00:00Z"


@pytest.fixture
def admin(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("operator", list(Scope)).text)


def create(admin: Caller, **fields: Any) -> dict[str, Any]:
    body = {"name": "ci", "scopes": ["read"]} | fields
    made = admin.call("POST", KEYS, json=body)
    assert made.status_code == 201, made.text
    return made.json()


def test_a_key_that_was_made_opens_what_it_lists_and_is_shown_once(
    admin: Caller, app: FastAPI
) -> None:
    made = admin.call("POST", KEYS, json={"name": "ci", "scopes": ["read"], "expires_at": LATER})
    told = made.json()
    text = told.pop("key")
    assert Caller(app, text).get(HISTORY).status_code == 200
    seen = admin.get(made.headers["location"])
    assert seen.json() == told
    assert seen.headers["etag"] == made.headers["etag"]
    assert (told["name"], told["scopes"], told["expires_at"]) == ("ci", ["read"], LATER)
    assert text not in admin.get(KEYS).text


def test_every_key_is_listed_page_by_page_and_by_state(admin: Caller) -> None:
    ids = {create(admin)["key_id"] for _ in range(3)}
    revoked = create(admin)["key_id"]
    admin.call("POST", f"{KEYS}/{revoked}/revoke")
    found: list[str] = []
    cursor = ""
    while True:
        page = admin.get(f"{KEYS}?state=active&limit=2{cursor}").json()
        assert page.keys() == {"keys", "next"}
        found += [key["key_id"] for key in page["keys"] if key["name"] == "ci"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(found) == sorted(ids)
    told = admin.get(f"{KEYS}?state=revoked").json()["keys"]
    assert [key["key_id"] for key in told] == [revoked]
    assert len(admin.get(KEYS).json()["keys"]) == 5


def test_a_key_is_revoked_once(admin: Caller, app: FastAPI) -> None:
    made = create(admin)
    first = admin.call("POST", f"{KEYS}/{made['key_id']}/revoke")
    again = admin.call("POST", f"{KEYS}/{made['key_id']}/revoke")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["revoked_at"] is not None
    problem(Caller(app, made["key"]).get(HISTORY), 401, "key-rejected")


def test_an_expiry_is_changed_and_taken_away(admin: Caller) -> None:
    path = f"{KEYS}/{create(admin)['key_id']}"
    for expiry in (LATER, None):
        changed = admin.call("PATCH", path, json={"expires_at": expiry})
        assert changed.status_code == 200
        assert changed.json()["expires_at"] == expiry
        assert admin.get(path).headers["etag"] == changed.headers["etag"]


def test_a_rotated_key_overlaps_with_its_successor(admin: Caller, app: FastAPI) -> None:
    old = create(admin, scopes=["read", "write"])
    path = f"{KEYS}/{old['key_id']}"
    rotated = admin.call("POST", f"{path}/rotate", json={"overlap": "PT2H"})
    assert rotated.status_code == 201
    new = rotated.json()
    assert rotated.headers["location"] == f"{KEYS}/{new['key_id']}"
    assert (new["name"], new["scopes"]) == ("ci", ["read", "write"])
    assert new["rotated_from"] == old["key_id"]
    ending = admin.get(path).json()
    assert ending["replaced_by"] == new["key_id"]
    assert ending["expires_at"] is not None
    for text in (old["key"], new["key"]):
        assert Caller(app, text).get(HISTORY).status_code == 200
    problem(admin.call("POST", f"{path}/rotate"), 409, "key-ended")


@pytest.mark.parametrize("options", [{}, {"json": {}}])
def test_a_rotation_needs_no_body(admin: Caller, options: dict[str, Any]) -> None:
    path = f"{KEYS}/{create(admin)['key_id']}/rotate"
    assert admin.call("POST", path, **options).status_code == 201


def test_without_an_overlap_the_old_key_ends_at_once(admin: Caller, app: FastAPI) -> None:
    old = create(admin)
    admin.call("POST", f"{KEYS}/{old['key_id']}/rotate", json={"overlap": "PT0S"})
    problem(Caller(app, old["key"]).get(HISTORY), 401, "key-rejected")


CHANGES: list[tuple[str, str, Any]] = [
    ("PATCH", "", {"expires_at": "2101-01-01T00:00:00Z"}),
    ("POST", "/revoke", None),
    ("POST", "/rotate", None),
]


@pytest.mark.parametrize(("method", "action", "body"), CHANGES)
def test_a_change_may_be_made_conditional(
    admin: Caller, method: str, action: str, body: Any
) -> None:
    path = f"{KEYS}/{create(admin)['key_id']}"
    seen = admin.get(path).headers["etag"]
    now = admin.call("PATCH", path, json={"expires_at": LATER}).headers["etag"]
    for tags in (seen, f"W/{now}"):
        refused = admin.call(method, path + action, headers={"If-Match": tags}, json=body)
        problem(refused, 412, "precondition-failed")
    assert admin.get(path).headers["etag"] == now
    done = admin.call(method, path + action, headers={"If-Match": f"{seen}, {now}"}, json=body)
    assert done.is_success


@pytest.mark.parametrize(("method", "action", "body"), [*CHANGES, ("GET", "", None)])
def test_an_unknown_key_is_404(admin: Caller, method: str, action: str, body: Any) -> None:
    problem(admin.call(method, UNKNOWN + action, json=body), 404, "key-not-found")
    refused = admin.call(method, f"{KEYS}/no-id{action}", json=body)
    assert pointers(problem(refused, 422, "invalid-input")) == ["/key_id"]


def test_what_is_over_is_a_conflict(admin: Caller) -> None:
    path = f"{KEYS}/{create(admin)['key_id']}"
    admin.call("POST", f"{path}/revoke")
    problem(admin.call("PATCH", path, json={"expires_at": LATER}), 409, "key-ended")
    problem(admin.call("POST", f"{path}/rotate"), 409, "key-ended")


OPERATIONS = [("POST", ""), ("GET", ""), ("GET", "/{id}")] + [
    (method, "/{id}" + action) for method, action, _ in CHANGES
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_only_administrators_manage_keys(
    app: FastAPI, registry: Registry, anonymous: Caller, method: str, path: str
) -> None:
    target = KEYS + path.format(id=registry.keys.create("target", []).key_id)
    told = problem(anonymous.call(method, target), 401, "key-rejected")
    assert "errors" not in told
    for scopes in ([Scope.READ, Scope.WRITE], [Scope.READ], []):
        caller = Caller(app, registry.keys.create("k", scopes).text)
        problem(caller.call(method, target), 403, "scope-missing")
    admin = Caller(app, registry.keys.create("k", [Scope.ADMIN]).text)
    assert admin.call(method, target).status_code in {200, 201, 422}


@pytest.mark.parametrize("asked", [["read"], ["write"], ["admin", "read"], EVERYTHING])
def test_nobody_makes_a_key_that_may_more_than_they(
    app: FastAPI, registry: Registry, asked: list[str]
) -> None:
    admin = Caller(app, registry.keys.create("administrator", [Scope.ADMIN]).text)
    refused = admin.call("POST", KEYS, json={"name": "mine", "scopes": asked})
    problem(refused, 403, "scope-missing")
    victim = registry.keys.create("victim", [Scope(scope) for scope in asked])
    problem(admin.call("POST", f"{KEYS}/{victim.key_id}/rotate"), 403, "scope-missing")
    assert registry.keys.get(victim.key_id) == victim.key
    assert len(registry.keys.list_keys().keys) == 2
    assert create(admin, scopes=["admin"])["scopes"] == ["admin"]


@pytest.mark.parametrize("path", ["", "/{id}/rotate"])
def test_a_text_told_once_cannot_be_asked_for_twice(admin: Caller, path: str) -> None:
    target = KEYS + path.format(id=create(admin)["key_id"])
    count = len(admin.get(KEYS).json()["keys"])
    body: dict[str, Any] = {"name": "ci", "scopes": []} if path == "" else {}
    refused = admin.call("POST", target, headers={"Idempotency-Key": "k"}, json=body)
    assert pointers(problem(refused, 422, "invalid-input")) == ["/Idempotency-Key"]
    assert len(admin.get(KEYS).json()["keys"]) == count


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"name": 7}, "/name"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": "read"}, "/scopes"),
        ({"scopes": ["read"] * 4}, "/scopes"),
        ({"scopes": None}, "/scopes"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2100-01-01T00:00:00"}, "/expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "/expires_at"),
        ({"expires_at": 4102444800}, "/expires_at"),
        ({"expires_at": "4102444800"}, "/expires_at"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"key": "ark_mine"}, "/key"),
        ({"key_id": str(UUID(int=1))}, "/key_id"),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    admin: Caller, fields: dict[str, Any], pointer: str
) -> None:
    body = {"name": "ci", "scopes": ["read"]} | fields
    told = problem(admin.call("POST", KEYS, json=body), 422, "invalid-input")
    assert pointers(told) == [pointer]


@pytest.mark.parametrize(
    "overlap",
    ["-PT1H", "PT-1H", "P91D", "P90DT1S", "3600", 3600, "24:00:00", "P", "", None, "P9999999999D"],
)
def test_an_overlap_that_cannot_be_is_refused(admin: Caller, overlap: object) -> None:
    path = f"{KEYS}/{create(admin)['key_id']}"
    refused = admin.call("POST", f"{path}/rotate", json={"overlap": overlap})
    assert pointers(problem(refused, 422, "invalid-input")) == ["/overlap"]
    assert admin.get(path).json()["replaced_by"] is None


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"null", b'{"name":"a","name":"b","scopes":[]}', b"", b"NaN"]
)
def test_a_body_that_is_no_request_is_refused(admin: Caller, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem(admin.call("POST", KEYS, headers=headers, content=content), 422, "invalid-input")


@pytest.mark.parametrize(
    "body", [{}, {"expires_at": LATER, "scopes": ["admin"]}, {"revoked_at": None}]
)
def test_nothing_but_the_expiry_can_be_changed(admin: Caller, body: dict[str, Any]) -> None:
    made = create(admin)
    refused = admin.call("PATCH", f"{KEYS}/{made['key_id']}", json=body)
    problem(refused, 422, "invalid-input")
    assert admin.get(f"{KEYS}/{made['key_id']}").json()["scopes"] == ["read"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("state=x", "/state"),
        ("cursor=x", "/cursor"),
    ],
)
def test_a_list_that_cannot_be_is_refused(admin: Caller, query: str, pointer: str) -> None:
    assert pointers(problem(admin.get(f"{KEYS}?{query}"), 422, "invalid-input")) == [pointer]


def test_every_change_names_its_caller_and_request(
    admin: Caller, registry: Registry, sql: psycopg.Connection[DictRow]
) -> None:
    operator = registry.keys.list_keys().keys[0].key_id
    made = admin.call("POST", KEYS, json={"name": "ci", "scopes": []})
    path = f"{KEYS}/{made.json()['key_id']}"
    changed = admin.call("PATCH", path, json={"expires_at": LATER})
    rotated = admin.call("POST", f"{path}/rotate")
    revoked = admin.call("POST", f"{path}/revoke")
    rows = sql.execute(
        "SELECT operation, actor, request_id FROM registry.outbox ORDER BY position OFFSET 1"
    ).fetchall()
    assert [(row["operation"], row["request_id"]) for row in rows] == [
        ("key_created", made.headers["x-request-id"]),
        ("key_expiry_changed", changed.headers["x-request-id"]),
        ("key_rotated", rotated.headers["x-request-id"]),
        ("key_revoked", revoked.headers["x-request-id"]),
    ]
    assert {row["actor"] for row in rows} == {f"key:{operator}"}


def test_no_text_of_a_key_is_kept_anywhere(
    admin: Caller, sql: psycopg.Connection[DictRow], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    made = create(admin)
    rotated = admin.call("POST", f"{KEYS}/{made['key_id']}/rotate").json()
    stored = sql.execute(
        "SELECT to_jsonb(k) AS row FROM registry.api_keys AS k"
        " UNION ALL SELECT to_jsonb(o) FROM registry.outbox AS o"
    ).fetchall()
    kept = json.dumps([row["row"] for row in stored]) + caplog.text
    assert "ci" in kept
    for text in (made["key"], rotated["key"]):
        assert text not in kept
        assert text.encode().hex() not in kept

"""What would become of an upload, asked over HTTP: nothing is uploaded, nothing changes."""

from threading import current_thread
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from functions.http.rule_bodies import RULE as EXAMPLE
from functions.http.rule_bodies import TRIAL, TRIAL_ASKED
from shared.bootstrap import Registry
from shared.models import templates
from shared.models.rules import IngestionRule
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.ruling import rule, rule_list

TEST = "/api/admin/rules/test"
BLOB = {"container": "uploads", "path": "flood-2024/site-a.tif"}
REFS = {"dataset_id": "flood-2024", "resource_id": "site-a"}


def tried(reader: Caller, **asked: Any) -> dict[str, Any]:
    answer = reader.call("POST", TEST, json=BLOB | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_documented_trial_comes_out_as_documented(reader: Caller, registry: Registry) -> None:
    registry.rules.apply(rule_list(IngestionRule.model_validate(EXAMPLE)))
    assert reader.call("POST", TEST, json=TRIAL_ASKED).json() == TRIAL


def test_a_trial_tells_the_first_rule_and_those_that_match_too(
    reader: Caller, registry: Registry
) -> None:
    second = rule("second", path="{*rest}", client_refs={"rest": "{rest}"})
    disabled, elsewhere = rule("off", priority=1, enabled=False), rule("by", container="other")
    registry.rules.apply(rule_list(second, rule("first", priority=5), disabled, elsewhere))
    told = tried(reader)
    assert (told["rule"], told["values"], told["also_matching"]) == ("first", REFS, ["second"])
    assert told["registration"]["client_refs"] == REFS
    assert told["problem"] is None
    assert registry.rules.read().version == 1


def test_without_a_rule_the_blob_itself_is_the_asset(reader: Caller) -> None:
    told = tried(reader)
    assert (told["rule"], told["values"], told["also_matching"]) == (None, {}, [])
    registration = told["registration"]
    assert registration["client_type"] == "blob"
    assert registration["client_refs"] == {"account": "devstoreaccount1", **BLOB}


def test_the_account_decides_where_a_rule_names_one(reader: Caller, registry: Registry) -> None:
    registry.rules.apply(rule_list(rule("one", account="another")))
    assert tried(reader)["rule"] is None
    assert tried(reader, account="another")["rule"] == "one"


def test_metadata_and_tags_count_and_tags_beat_metadata(reader: Caller, registry: Registry) -> None:
    registry.rules.apply(rule_list(rule("one")))
    metadata = {"registry_producer": "from metadata", "registry_stage": "candidate", "other": "x"}
    told = tried(reader, metadata=metadata, tags={"registry_producer": "from tags"})
    registration = told["registration"]
    assert (registration["producer"], registration["stage"]) == ("from tags", "candidate")


def test_what_could_not_be_registered_is_told_as_a_problem(
    reader: Caller, registry: Registry
) -> None:
    registry.rules.apply(rule_list(rule("one")))
    told = tried(reader, tags={"registry_stage": "final"})
    assert (told["rule"], told["registration"]) == ("one", None)
    assert told["problem"]["pointer"] == "/tags/registry_stage"
    assert "registry_stage" in told["problem"]["detail"]


def test_rules_may_be_tried_before_they_are_in_force(reader: Caller, registry: Registry) -> None:
    registry.rules.apply(rule_list(rule("one")))
    later = rule("later", client_type="new").model_dump(mode="json")
    told = tried(reader, rules=[later])
    assert (told["rule"], told["also_matching"]) == ("later", [])
    assert told["registration"]["client_type"] == "new"
    assert tried(reader, rules=[])["rule"] is None
    assert tried(reader)["rule"] == "one"


def test_rules_are_read_for_those_who_are_let_in_and_hold_up_nobody_else(
    app: FastAPI, reader: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[str] = []
    parse = templates._segments  # pyright: ignore[reportPrivateUsage] - what reading rules costs

    def seen(text: str) -> object:
        readers.append(current_thread().name)
        return parse(text)

    monkeypatch.setattr(templates, "_segments", seen)
    paths = [f"{{dataset_id}}/{number}/{uuid4()}/{{resource_id}}" for number in range(3)]
    asked = BLOB | {"rules": [rule("one").model_dump(mode="json") | {"path": paths}]}
    problem(Caller(app, "nobody").call("POST", TEST, json=asked), 401, "key-rejected")
    assert not readers
    assert reader.call("POST", TEST, json=asked).status_code == 200
    assert len(readers) == 3
    assert all(name.startswith("request") for name in readers)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"container": "No"}, "/container"),
        ({"account": "No"}, "/account"),
        ({"path": ""}, "/path"),
        ({"path": "a/../b"}, "/path"),
        ({"path": "x" * 1025}, "/path"),
        ({"path": "a\x00b"}, "/path"),
        ({"path": None}, "/path"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"tags": {str(n): "" for n in range(1001)}}, "/tags"),
        ({"rules": [{"name": "x"}]}, "/rules/0/container"),
        ({"rules": [rule("x").model_dump(mode="json")] * 2}, "/rules/0/name"),
        ({"rules": [{"name": "x"}] * 1001}, "/rules"),
        ({"rules": "none"}, "/rules"),
        ({"rule": "one"}, "/rule"),
    ],
)
def test_what_is_no_upload_is_pointed_at(
    reader: Caller, asked: dict[str, Any], pointer: str
) -> None:
    refused = problem(reader.call("POST", TEST, json=BLOB | asked), 422, "invalid-input")
    assert pointer in pointers(refused)

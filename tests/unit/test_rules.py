"""Rules: what is refused on save and where it stands, and which of them decides."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.models.blobs import BlobReference
from shared.models.pointers import json_pointer
from shared.models.rules import IngestionRule, RuleList, RuleSet

MEMBERS: dict[str, Any] = {
    "name": "rasters",
    "container": "uploads",
    "path": "{dataset}/{resource}/{version:int}.tif",
    "client_type": "ddh",
    "client_refs": {"dataset_id": "{dataset}", "resource_id": "{resource}", "version": "{version}"},
}
BLOB = BlobReference("account", "uploads", "flood/depth/12.tif")


def rule(**members: Any) -> IngestionRule:
    return IngestionRule.model_validate(MEMBERS | members)


def faults_of(members: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        IngestionRule.model_validate(members)
    return [(json_pointer(*fault["loc"]), fault["msg"]) for fault in refused.value.errors()]


@pytest.mark.parametrize(
    ("member", "value", "pointer", "told"),
    [
        ("name", "Rasters", "/name", "should match pattern"),
        ("name", "r" * 101, "/name", "should match pattern"),
        ("priority", -1, "/priority", "greater than or equal to 0"),
        ("priority", "1", "/priority", "valid integer"),
        ("enabled", "yes", "/enabled", "valid boolean"),
        ("account", "No", "/account", "3 to 24 lowercase letters"),
        ("container", "No_Container", "/container", "3 to 63 lowercase letters"),
        ("container", "up*", "/container", "3 to 63 lowercase letters"),
        ("path", "", "/path", "at least 1 character"),
        ("path", "{a}{b}", "/path", "touch"),
        ("path", 1, "/path", "valid string"),
        ("path", [], "/path", "at least 1 item"),
        ("path", ["x"] * 21, "/path", "at most 20 items"),
        ("path", [MEMBERS["path"], "{a"], "/path/1", "no partner"),
        ("path", [MEMBERS["path"], "{dataset}/{resource}"], "/path/1", "no {version}, which /cl"),
        ("path", "a\0", "/path", "NUL"),
        ("path", "a\ud800", "/path", "valid string"),
        ("client_type", "", "/client_type", "at least 1 character"),
        ("client_type", "x" * 51, "/client_type", "at most 50"),
        ("client_type", "a\n", "/client_type", "pattern"),
        ("client_type", "{dataset}", "/client_type", "without braces"),
        ("client_refs", {}, "/client_refs", "at least one reference"),
        ("client_refs", {"a": {"b": ["{x}"]}}, "/client_refs/a/b/0", "known are dataset, resource"),
        ("client_refs", {"a/b": "{x:int}"}, "/client_refs/a~1b", "kinds belong into the path"),
        ("client_refs", {"a": "{path}" * 21}, "/client_refs/a", "up to 20 placeholders"),
        ("client_refs", {"a": "x" * 1025}, "/client_refs/a", "up to 1024 characters"),
        ("client_refs", {str(n): "x" * 1000 for n in range(9)}, "/client_refs", "exceed 8192"),
        ("client_refs", [], "/client_refs", "dictionary"),
        ("artifact_type", "{rest}", "/artifact_type", "The path finds no {rest}"),
        ("artifact_type", "x" * 101, "/artifact_type", "at most 100"),
        ("content_type", "", "/content_type", "at least 1 character"),
        ("stac_item_id", "}", "/stac_item_id", "The } at character 1 has no partner"),
        ("metadata", {"a": ["{x}"]}, "/metadata/a/0", "no {x}"),
        ("metadata", {"at": "https://h/p?sv=1&sig=abcdefghijkl"}, "/metadata", "signed address"),
        ("stage", "done", "/stage", "'intermediate', 'candidate' or 'published'"),
        ("overwrite", "true", "/overwrite", "valid boolean"),
        ("same_bytes", "drop", "/same_bytes", "'keep' or 'register'"),
        ("overrides", "some", "/overrides", "'none', 'descriptive' or 'all'"),
        ("when_deleted", "purge", "/when_deleted", "'keep' or 'delete'"),
        ("contianer", "uploads", "/contianer", "Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_where_and_why(
    member: str, value: object, pointer: str, told: str
) -> None:
    at, why = faults_of(MEMBERS | {member: value})[0]
    assert (at, told in why) == (pointer, True), why


def test_a_rule_makes_no_artifacts_of_builds() -> None:
    of_builds = {"client_type": "build", "client_refs": {"build_id": "{dataset}"}}
    [(at, why)] = faults_of(MEMBERS | of_builds)
    assert (at, "/api/builds" in why) == ("/client_refs", True)
    assert rule(client_type="build").client_type == "build"


@pytest.mark.parametrize("member", ["name", "container", "path", "client_type", "client_refs"])
def test_what_a_rule_cannot_do_without_is_asked_for(member: str) -> None:
    without = {name: value for name, value in MEMBERS.items() if name != member}
    assert faults_of(without) == [(f"/{member}", "Field required")]


def test_of_very_many_faults_the_first_are_told() -> None:
    assert len(faults_of(MEMBERS | {"metadata": {"a": ["{x}"] * 100_000}})) == 20


def test_all_templates_at_fault_are_named_at_once() -> None:
    wrong = MEMBERS | {"client_refs": {"a": "{x}", "b": "{y}"}, "stac_item_id": "{z}"}
    assert [at for at, _ in faults_of(wrong)] == [
        "/stac_item_id", "/client_refs/a", "/client_refs/b"
    ]  # fmt: skip


def test_rules_of_one_name_are_refused_wherever_they_stand() -> None:
    rules = [MEMBERS, MEMBERS | {"name": "other"}, MEMBERS]
    with pytest.raises(ValidationError) as refused:
        RuleList.model_validate({"rules": rules})
    at = [json_pointer(*fault["loc"]) for fault in refused.value.errors()]
    assert at == ["/rules/0/name", "/rules/2/name"]


def test_a_fault_within_a_list_of_rules_is_named_from_its_root() -> None:
    with pytest.raises(ValidationError) as refused:
        RuleList.model_validate({"rules": [MEMBERS, MEMBERS | {"name": "b", "path": ["{a}{b}"]}]})
    assert [json_pointer(*e["loc"]) for e in refused.value.errors()] == ["/rules/1/path/0"]


def test_a_thousand_rules_are_a_set_and_one_more_is_not() -> None:
    rules = [MEMBERS | {"name": f"r{number}"} for number in range(1001)]
    assert len(RuleList.model_validate({"rules": rules[:1000]}).rules) == 1000
    with pytest.raises(ValidationError, match="at most 1000 items"):
        RuleList.model_validate({"rules": rules})


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0{}@=?"), max_size=5)
_VALUE_TEMPLATES = _TEXT | st.sampled_from(["{dataset}", "{path}-{version}", "{{x}}", "{filename}"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _VALUE_TEMPLATES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
)
_MEMBERS = st.fixed_dictionaries(
    {"client_refs": st.dictionaries(_TEXT, _JSON, min_size=1, max_size=3)},
    optional={
        "priority": st.integers(0, 1_000_000),
        "enabled": st.booleans(),
        "account": st.none() | st.just("account1"),
        "path": st.just(MEMBERS["path"]) | st.just(["{dataset}/{version:int}", MEMBERS["path"]]),
        "artifact_type": st.none() | st.just("{dataset}"),
        "metadata": st.dictionaries(_TEXT, _JSON, max_size=3),
        "stage": st.sampled_from(["intermediate", "candidate", "published"]),
        "same_bytes": st.sampled_from(["keep", "register"]),
        "overrides": st.sampled_from(["none", "descriptive", "all"]),
        "when_deleted": st.sampled_from(["keep", "delete"]),
    },
)


@given(_MEMBERS)
def test_a_rule_comes_back_from_json_as_it_was(members: dict[str, Any]) -> None:
    saved = rule(**members)
    document = json.loads(saved.model_dump_json())
    assert IngestionRule.model_validate(document) == saved
    assert {name: document[name] for name in members} == members


def test_the_first_rule_by_priority_and_name_decides_and_the_others_are_told() -> None:
    rules = [
        rule(name="c", priority=5),
        rule(name="b", priority=5),
        rule(name="a", priority=6),
        rule(name="first", priority=0, enabled=False),
        rule(name="elsewhere", priority=0, container="other"),
        rule(name="anothers", priority=0, account="another"),
        rule(name="unlike", priority=0, path="{dataset}/{resource}/{version:int}.csv"),
    ]
    first, *others = RuleSet(rules).matches(BLOB)
    assert (first.rule.name, [other.rule.name for other in others]) == ("b", ["c", "a"])
    assert RuleSet(rules).match(BLOB) == first
    assert first.values == {"dataset": "flood", "resource": "depth", "version": 12}


@given(st.permutations([rule(name=name, priority=ord(name) % 3) for name in "abcdef"]))
def test_the_order_in_which_rules_are_given_decides_nothing(rules: list[IngestionRule]) -> None:
    matches = RuleSet(rules).matches(BLOB)
    assert [match.rule.name for match in matches] == ["c", "f", "a", "d", "b", "e"]


def test_of_several_paths_the_first_that_fits_counts() -> None:
    both = rule(
        path=["{dataset}/{resource}/{version:int}.tif", "{dataset}/{*resource}/{version:int}.tif"]
    )
    rules = RuleSet([both])
    assert (found := rules.match(BLOB))
    assert found.values["resource"] == "depth"
    assert (deep := rules.match(BlobReference("account", "uploads", "flood/a/b/1.tif")))
    assert deep.values["resource"] == "a/b"


def test_a_blob_that_no_rule_knows_has_none() -> None:
    rules = RuleSet([rule(account="account1")])
    assert rules.match(BLOB) is None
    assert rules.match(BlobReference("account1", "other", BLOB.path)) is None
    assert RuleSet([]).match(BLOB) is None

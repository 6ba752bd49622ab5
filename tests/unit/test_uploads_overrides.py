"""What an uploader says in metadata and index tags, and how far a rule lets it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.models.blobs import BlobReference
from shared.models.rules import IngestionRule, RuleMatch
from shared.models.uploads import registration_of

BLOB = BlobReference("account1", "uploads", "flood/12.tif")


def ruled(overrides: str) -> RuleMatch:
    rule = IngestionRule.model_validate(
        {
            "name": "rasters",
            "container": "uploads",
            "path": "{dataset}/{version:int}.tif",
            "client_type": "ddh",
            "client_refs": {"dataset_id": "{dataset}", "version": "{version}", "final": True},
            "artifact_type": "raster",
            "metadata": {"title": "{dataset}", "kept": 1},
            "overrides": overrides,
        }
    )
    return RuleMatch(rule, {"dataset": "flood", "version": 12})


def said(
    match: RuleMatch | None, metadata: dict[str, str], tags: dict[str, str] | None = None
) -> dict[str, Any]:
    """What differs from the registration of a silent uploader."""
    silent = registration_of(BLOB, match, {}, {}).model_dump(mode="json")
    made = registration_of(BLOB, match, metadata, tags or {}).model_dump(mode="json")
    return {name: value for name, value in made.items() if value != silent[name]}


def refusal(
    match: RuleMatch | None, metadata: dict[str, str], tags: dict[str, str] | None = None
) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as refused:
        registration_of(BLOB, match, metadata, tags or {})
    return refused.value.pointer, refused.value.summary


DESCRIPTIVE = {
    "artifact_type": "dem",
    "content_type": "image/tiff",
    "stac_collection_id": "floods",
    "stac_item_id": "flood-12",
    "source_job_id": "job",
    "source_task_id": "task",
    "producer": "gdal",
    "producer_version": "3.9",
    "stage": "published",
    "is_final": "true",
    "is_resumable": "true",
    "expires_at": "2027-01-01T02:00:00+02:00",
    "metadata_a_b": "x",
}


@pytest.mark.parametrize("overrides", [None, "descriptive", "all"])
@pytest.mark.parametrize("as_tags", [True, False])
def test_an_uploader_may_describe(overrides: str | None, as_tags: bool) -> None:
    pairs = {f"registry_{name}": value for name, value in DESCRIPTIVE.items()}
    match = ruled(overrides) if overrides else None
    told = said(match, {}, pairs) if as_tags else said(match, pairs)
    titles = {"title": "flood", "kept": 1} if match else {}
    assert told == {
        **{name: value for name, value in DESCRIPTIVE.items() if name != "metadata_a_b"},
        "is_final": True,
        "is_resumable": True,
        "expires_at": "2027-01-01T00:00:00Z",
        "metadata": titles | {"a_b": "x"},
    }


def test_tags_beat_metadata_and_both_beat_the_rule() -> None:
    metadata = {"registry_artifact_type": "by-metadata", "registry_metadata_title": "by-metadata"}
    tags = {"registry_artifact_type": "by-tag"}
    assert said(ruled("descriptive"), metadata, tags) == {
        "artifact_type": "by-tag",
        "metadata": {"title": "by-metadata", "kept": 1},
    }


def test_a_value_that_a_tag_beats_need_not_be_valid() -> None:
    stages = {"registry_stage": "nonsense"}, {"registry_stage": "candidate"}
    assert said(None, *stages) == {"stage": "candidate"}


def test_letter_case_does_not_count_in_keys() -> None:
    assert said(None, {"Registry_Stage": "candidate", "REGISTRY_METADATA_Title": "X"}) == {
        "stage": "candidate",
        "metadata": {"title": "X"},
    }


def test_what_the_rule_has_keeps_the_letters_in_which_it_has_it() -> None:
    rule = ruled("all").rule
    capital = rule.model_copy(update={"client_refs": {"DataSet": 1}, "metadata": {"Title": "x"}})
    pairs = {"registry_ref_dataset": "2", "Registry_Metadata_TITLE": "y"}
    assert said(RuleMatch(capital, {}), pairs) == {
        "client_refs": {"DataSet": 2},
        "metadata": {"Title": "y"},
    }


def test_other_keys_are_none_of_ours() -> None:
    others = {"stage": "x", "registry": "x", "xregistry_stage": "x", "registry-stage": "x", "": "x"}
    assert said(None, others, others) == {}


def test_where_a_rule_lets_nothing_override_all_is_ignored() -> None:
    pairs = {"registry_stage": "x", "registry_nonsense": "x", "registry_client_type": "other"}
    assert said(ruled("none"), pairs, pairs) == {}


def test_identity_is_open_where_the_rule_says_so() -> None:
    pairs = {
        "registry_client_type": "other",
        "registry_overwrite": "false",
        "registry_ref_dataset_id": "storm",
        "registry_ref_version": "13",
        "registry_ref_final": "false",
        "registry_ref_part": "7",
    }
    assert said(ruled("all"), pairs) == {
        "client_type": "other",
        "overwrite": False,
        "client_refs": {"dataset_id": "storm", "version": 13, "final": False, "part": "7"},
    }


@pytest.mark.parametrize("overrides", [None, "descriptive"])
@pytest.mark.parametrize("key", ["client_type", "overwrite", "ref_dataset_id", "REF_x"])
def test_identity_is_closed_elsewhere(overrides: str | None, key: str) -> None:
    pointer, told = refusal(ruled(overrides) if overrides else None, {f"registry_{key}": "true"})
    assert pointer == f"/metadata/registry_{key}"
    assert told == (
        f"blob metadata 'registry_{key}': it says which asset this is, "
        "which needs a rule with overrides: all"
    )


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("registry_stage", "done", "Input should be 'intermediate', 'candidate' or 'published'"),
        ("registry_is_final", "True", "write true or false"),
        ("registry_is_resumable", "", "write true or false"),
        ("registry_overwrite", "1", "write true or false"),
        ("registry_ref_final", "yes", "write true or false"),
        ("registry_expires_at", "tomorrow", "Input should be a valid datetime"),
        ("registry_expires_at", "2027-01-01T00:00:00", "Input should have timezone info"),
        ("registry_expires_at", "0001-01-01T00:00:00Z", "the year lies between 1971 and 9997"),
        ("registry_artifact_type", "", "String should have at least 1 character"),
        ("registry_producer_version", "x" * 101, "String should have at most 100 characters"),
        ("registry_client_type", "x" * 51, "String should have at most 50 characters"),
        ("registry_ref_version", "012", "the rule has an integer here: up to 18 digits, no zero"),
        ("registry_ref_version", "1.0", "the rule has an integer here"),
        ("registry_ref_version", "9" * 19, "the rule has an integer here"),
        ("registry_ref_x", "x" * 9000, "client_refs exceed 8192 bytes"),
        ("registry_metadata_x", "a\0", "NUL characters are not accepted"),
        ("registry_", "x", "no such key is known; known are registry_artifact_type, "),
        ("registry_ref_", "x", "no such key is known"),
        ("registry_metadata_", "x", "no such key is known"),
        ("registry_metadata", "x", "no such key is known"),
        ("registry_content_hash", "x", "no such key is known"),
        ("registry_" + "x" * 1000, "x", "no such key is known"),
    ],
)
def test_a_key_or_value_that_is_none_is_refused_by_its_name(
    key: str, value: str, told: str
) -> None:
    pointer, why = refusal(ruled("all"), {}, {key: value})
    assert pointer == f"/tags/{key}"
    assert why.startswith(f"index tag {key[:100]!r}: {told}")
    assert len(why) < 700


def test_one_key_in_two_spellings_is_refused() -> None:
    pairs = {"registry_stage": "candidate", "Registry_stage": "published"}
    pointer, told = refusal(None, {}, pairs)
    assert pointer == "/tags/Registry_stage"
    assert "keep one of the two" in told


_KEYS = st.text(max_size=12) | st.sampled_from(
    [f"registry_{name}" for name in [*DESCRIPTIVE, "client_type", "overwrite", "ref_version"]]
)
_PAIRS = st.dictionaries(_KEYS | _KEYS.map(lambda key: f"Registry_{key}"), st.text(), max_size=4)


@given(_PAIRS, _PAIRS, st.sampled_from([None, "none", "descriptive", "all"]))
def test_whatever_an_uploader_says_is_a_registration_or_a_refusal_that_names_it(
    metadata: dict[str, str], tags: dict[str, str], overrides: str | None
) -> None:
    match = ruled(overrides) if overrides else None
    try:
        made = registration_of(BLOB, match, metadata, tags)
    except InvalidInput as fault:
        pointer = fault.pointer
    else:
        if overrides != "all":
            silent = registration_of(BLOB, match, {}, {})
            assert (made.client_type, made.client_refs) == (silent.client_type, silent.client_refs)
            assert made.overwrite == silent.overwrite
        return
    assert pointer.startswith(("/metadata/", "/tags/"))

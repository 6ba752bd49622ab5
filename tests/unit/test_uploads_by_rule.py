"""What an upload is registered as by the rule that knows it, its uploader silent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Stage
from shared.models.blobs import BlobReference
from shared.models.rules import IngestionRule, RuleSet
from shared.models.uploads import registration_of

MEMBERS: dict[str, Any] = {
    "name": "rasters",
    "container": "uploads",
    "path": "{dataset}/{version:int}/{kind:dem|ortho}.tif",
    "client_type": "ddh",
    "client_refs": {"dataset_id": "{dataset}", "version": "{version}"},
}


def registered(name: str, **members: Any) -> ArtifactRegistration:
    blob = BlobReference("account1", "uploads", name)
    match = RuleSet([IngestionRule.model_validate(MEMBERS | members)]).match(blob)
    assert match
    return registration_of(blob, match, {}, {})


def test_a_rule_says_what_an_upload_is() -> None:
    made = registered(
        "flood/12/dem.tif",
        client_refs={
            "dataset_id": "{dataset}",
            "version": "{version}",
            "label": "v{version}",
            "scale": 10,
            "is_raster": True,
            "none": None,
            "deep": {"kinds": ["{kind}", "{{kind}}"]},
        },
        artifact_type="{kind}",
        content_type="image/tiff",
        stac_collection_id="{dataset}",
        stac_item_id="{dataset}-{version}",
        metadata={
            "from": "{account}/{container}/{path}",
            "file": "{filename}",
            "n": [1.5, "{version}"],
        },
        stage="candidate",
        overwrite=False,
        same_bytes="register",
    )
    assert made.model_dump(exclude_defaults=True) == {
        "client_type": "ddh",
        "client_refs": {
            "dataset_id": "flood",
            "version": 12,
            "label": "v12",
            "scale": 10,
            "is_raster": True,
            "none": None,
            "deep": {"kinds": ["dem", "{kind}"]},
        },
        "artifact_type": "dem",
        "content_type": "image/tiff",
        "stac_collection_id": "flood",
        "stac_item_id": "flood-12",
        "metadata": {
            "from": "account1/uploads/flood/12/dem.tif",
            "file": "dem.tif",
            "n": [1.5, 12],
        },
        "stage": Stage.CANDIDATE,
        "register_unchanged": True,
    }


def test_what_a_rule_leaves_open_is_left_open() -> None:
    made = registered("flood/12/dem.tif")
    assert made.overwrite
    assert not made.register_unchanged
    assert made.model_dump(exclude_defaults=True).keys() == {
        "client_type", "client_refs", "overwrite"
    }  # fmt: skip


def test_a_number_in_a_field_of_text_is_written_out() -> None:
    made = registered("flood/12/dem.tif", stac_item_id="{version}", artifact_type="{version}")
    assert (made.stac_item_id, made.artifact_type) == ("12", "12")


def test_without_a_rule_the_asset_is_the_blob_itself() -> None:
    blob = BlobReference("account1", "uploads", "a/b.tif")
    assert registration_of(blob, None, {}, {}) == ArtifactRegistration(
        client_type="blob",
        client_refs={"account": "account1", "container": "uploads", "path": "a/b.tif"},
        overwrite=True,
    )


@pytest.mark.parametrize(
    ("name", "members", "pointer", "told"),
    [
        ("x" * 256, {"stac_item_id": "{dataset}"}, "/stac_item_id", "at most 255 characters"),
        ("x" * 11, {"artifact_type": "{dataset}" * 10}, "/artifact_type", "at most 100 characters"),
        ("é" * 900, {"client_refs": {"a": "{dataset}" * 5}}, "/client_refs", "exceed 8192 bytes"),
    ],
)
def test_what_comes_out_too_long_is_refused_with_the_rule_and_the_member(
    name: str, members: dict[str, Any], pointer: str, told: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        registered(f"{name}/1/dem.tif", **members)
    assert refused.value.pointer == pointer
    assert refused.value.summary.startswith(
        f"Rule rasters makes no registration of this name. {pointer}: "
    )
    assert told in refused.value.summary


_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1)


@given(_NAMES, st.integers(0, 10**18 - 1))
def test_any_name_that_fits_makes_the_same_registration_each_time(name: str, version: int) -> None:
    try:
        made = registered(f"{name}/{version}/dem.tif")
    except InvalidInput:  # a name that no blob has, or refs beyond their size
        return
    assert made == registered(f"{name}/{version}/dem.tif")
    assert made.client_refs["version"] == version

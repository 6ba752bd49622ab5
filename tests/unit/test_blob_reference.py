from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errors import InvalidInput
from shared.models.blobs import BlobProperties, BlobReference

PROPERTIES = BlobProperties(
    reference=BlobReference("account", "uploads", "a.tif"),
    uri="https://account.blob.core.windows.net/uploads/a.tif",
    etag="0x8D",
    size_bytes=0,
    content_type=None,
    version_id=None,
    tier=None,
    metadata={},
    last_modified=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize("name", ["abc", "a" * 63, "a-b-c", "123", "0-0", "$root", "$web", "$logs"])
def test_a_container_name_that_azure_allows_is_accepted(name: str) -> None:
    assert BlobReference("account", name, "a.tif").container == name


@pytest.mark.parametrize(
    "name",
    ["", "ab", "a" * 64, "Abc", "a--b", "-ab", "ab-", "a_b", "a.b", "a/b", "..", "abc\n", "$other"],
)
def test_a_container_name_that_azure_refuses_is_invalid(name: str) -> None:
    with pytest.raises(InvalidInput):
        BlobReference("account", name, "a.tif")


@pytest.mark.parametrize("name", ["a", "x" * 1024, "a..b", "..a/b..", "a.", "dir/", "//a", "..."])
def test_a_blob_name_is_raw_text_of_up_to_1024_characters(name: str) -> None:
    assert BlobReference("account", "uploads", name).path == name


@pytest.mark.parametrize("name", ["", "x" * 1025, "a\0b", "a\ud800b"])
def test_a_blob_name_that_no_blob_can_have_is_invalid(name: str) -> None:
    with pytest.raises(InvalidInput):
        BlobReference("account", "uploads", name)


@pytest.mark.parametrize("name", ["..", ".", "../private/a", "a/../b", "a/./b", "a/.."])
def test_a_blob_name_that_would_reach_another_blob_is_invalid(name: str) -> None:
    with pytest.raises(InvalidInput, match="segment"):
        BlobReference("account", "uploads", name)


def test_an_etag_is_one_value_with_and_without_quotes() -> None:
    assert replace(PROPERTIES, etag='"0x8D"') == PROPERTIES

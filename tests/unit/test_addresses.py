"""Addresses of blobs are written as the SDK writes them."""

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.models.blobs import BlobReference
from shared.storage.addresses import blob_uri

ACCOUNT = "https://account.blob.core.windows.net"
SDK = BlobServiceClient(ACCOUNT)


@given(st.text(min_size=1, max_size=50) | st.text("/~+ %?#&'\"\\.é", min_size=1))
def test_whatever_the_name_the_address_is_that_of_the_sdk(path: str) -> None:
    try:
        BlobReference("account", "container", path)
    except InvalidInput:
        assume(False)
    assert blob_uri(ACCOUNT, "container", path) == SDK.get_blob_client("container", path).url


@pytest.mark.parametrize("container", ["$root", "$web", "with-hyphens"])
def test_whatever_the_container(container: str) -> None:
    assert blob_uri(ACCOUNT, container, "a") == SDK.get_blob_client(container, "a").url

"""What opens something is not kept of a URI; what says where the bytes are is."""

import pytest

from shared.models.artifacts import unsigned

KEPT = [
    "abfss://container@account.dfs.core.windows.net/p",
    "ABFS://container@account.dfs.core.windows.net",
    "wasb://$root@account.blob.core.windows.net/p",
    "wasbs://container@account.blob.core.windows.net/a@b?versionid=1",
    "https://host/a@b",
    "c@d/e",
]
CUT = {
    "https://user@host/p": "https://host/p",
    "https://user:hush@host/p?sig=hush": "https://host/p",
    "abfss://user:hush@host/p": "abfss://host/p",
    "abfss://user%3Ahush@host/p": "abfss://host/p",
    "wasbs://container@account.blob.core.windows.net/p?sig=hush": (
        "wasbs://container@account.blob.core.windows.net/p"
    ),
    "abfssx://user@host/p": "abfssx://host/p",
}


@pytest.mark.parametrize("uri", KEPT)
def test_where_the_bytes_are_is_kept(uri: str) -> None:
    assert unsigned(uri) == uri


@pytest.mark.parametrize("uri", CUT)
def test_user_and_signature_are_cut(uri: str) -> None:
    assert unsigned(uri) == CUT[uri]

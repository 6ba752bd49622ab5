"""Requests to the store go by the environment, and by nobody's `.netrc`."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.errors import StorageUnavailable
from shared.storage.blobs import BlobStore
from tests.integration.test_redirects import ACCOUNT, BLOB, CALLS, answering

AWAY = f"BlobEndpoint=http://storage.invalid/{ACCOUNT};AccountName={ACCOUNT};AccountKey=a2V5"


@pytest.mark.parametrize("call", CALLS)
def test_a_proxy_of_the_environment_is_used(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(307) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(StorageUnavailable):
            CALLS[call](BlobStore(AWAY))
        assert {urlsplit(asked.split(" ")[1]).netloc for asked in proxy.asked} == {
            "storage.invalid"
        }


def test_but_not_for_a_host_that_the_environment_takes_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(307) as proxy, answering(307) as storage:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(StorageUnavailable):
            BlobStore(storage.connection_string).properties(BLOB)
        assert (proxy.asked, len(storage.asked)) == ([], 1)


def test_no_netrc_takes_the_place_of_the_accounts_own_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(307) as storage:
        with pytest.raises(StorageUnavailable):
            BlobStore(storage.connection_string).properties(BLOB)
        assert storage.authorized == ["SharedKey"]

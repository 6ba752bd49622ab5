"""A URL names a blob where its host is Azure's or an emulator's, and nowhere else."""

import pytest

from shared.models.blob_urls import read_blob_url

NAMED = {
    "https://acc1.blob.core.windows.net/c-1/p/a.vhd": ("acc1", "c-1", "p/a.vhd"),
    "https://ACC1.Blob.Core.Windows.Net:443/c-1/a.vhd?sig=x": ("acc1", "c-1", "a.vhd"),
    "https://acc1.blob.core.chinacloudapi.cn/c-1/a%20b": ("acc1", "c-1", "a b"),
    "https://acc1.blob.core.usgovcloudapi.net/c-1/a": ("acc1", "c-1", "a"),
    "http://127.0.0.1:10000/acc1/c-1/a": ("acc1", "c-1", "a"),
    "http://localhost:10000/acc1/c-1/a": ("acc1", "c-1", "a"),
    "http://[::1]:10000/acc1/c-1/a": ("acc1", "c-1", "a"),
}
FOREIGN = [
    "https://cdn.example.org/images/prod/disk.vhd",
    "https://acc1.blob.attacker.com/c-1/a",
    "https://acc1.blob.core.windows.net.attacker.com/c-1/a",
    "https://acc1.blob.core.windows.net@attacker.com/c-1/a",
    "https://attacker.com/acc1.blob.core.windows.net/c-1/a",
    "https://x.acc1.blob.core.windows.net/c-1/a",
    "https://acc1-secondary.blob.core.windows.net/c-1/a",
    "https://blob.core.windows.net/c-1/a",
    "https://10.0.0.1/acc1/c-1/a",
    "https://127.0.0.1.attacker.com/acc1/c-1/a",
    "ftp://acc1.blob.core.windows.net/c-1/a",
]


@pytest.mark.parametrize("url", NAMED)
def test_a_blob_is_read_from_its_url(url: str) -> None:
    found = read_blob_url(url)
    assert found is not None
    assert (found.blob.account, found.blob.container, found.blob.path) == NAMED[url]


@pytest.mark.parametrize("url", FOREIGN)
def test_a_foreign_host_has_no_blob_of_ours(url: str) -> None:
    assert read_blob_url(url) is None

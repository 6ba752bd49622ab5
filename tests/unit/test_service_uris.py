"""A token goes to Azure's own hosts and to this machine, and over https."""

import pytest

from shared.models.service_uris import Service, is_address, read_service_uri

AZURES = "https://uploads1.blob.core.windows.net"


@pytest.mark.parametrize(
    ("text", "service", "uri"),
    [
        (AZURES, "blob", AZURES),
        (f"{AZURES}/", "blob", AZURES),
        ("HTTPS://Uploads1.Blob.Core.Windows.NET", "blob", AZURES),
        ("https://a1b.queue.core.windows.net/", "queue", "https://a1b.queue.core.windows.net"),
        (
            "https://abc.table.core.chinacloudapi.cn",
            "table",
            "https://abc.table.core.chinacloudapi.cn",
        ),
        (
            "https://127.0.0.1:10000/devstoreaccount1/",
            "blob",
            "https://127.0.0.1:10000/devstoreaccount1",
        ),
        ("https://localhost:1/abc", "table", "https://localhost:1/abc"),
    ],
)
def test_an_address_of_azure_or_of_an_emulator_here_is_taken(
    text: str, service: Service, uri: str
) -> None:
    assert read_service_uri(text, service) == uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "uploads1.blob.core.windows.net",
        "http://uploads1.blob.core.windows.net",
        "http://127.0.0.1:10000/devstoreaccount1",
        "https://uploads1.queue.core.windows.net",
        "https://uploads1.blob.core.windows.net.evil.example",
        "https://evil.example/uploads1.blob.core.windows.net",
        "https://uploads1.blob.core.windows.net@evil.example",
        "https://evil.example#uploads1.blob.core.windows.net",
        "https://someone:s3cret@uploads1.blob.core.windows.net",
        "https://:s3cret@uploads1.blob.core.windows.net",
        "https://uploads1.blob.core.windows.net:8443",
        "https://uploads1.blob.core.windows.net:x",
        "https://uploads1.blob.core.windows.net:0",
        "https://uploads1.blob.core.windows.net?",
        "https://uploads1.blob.core.windows.net/container",
        "https://uploads1.blob.core.windows.net//",
        "https://uploads1.blob.core.windows.net?sv=1&sig=s3cret",
        "https://uploads1.blob.core.windows.net/?sig=s3cret",
        "https://uploads1.privatelink.blob.core.windows.net",
        "https://uploads1-secondary.blob.core.windows.net",
        "https://uploads1.z01.blob.storage.azure.net",
        "https://blobs.example",
        "https://up.blob.core.windows.net",
        "https://Üploads1.blob.core.windows.net",
        "https://uploads1.blob.core.windows.net\n.evil.example",
        "https://169.254.169.254/abc",
        "https://127.0.0.1.evil.example/abc",
        "https://localhost.evil.example/abc",
        "https://127.0.0.1:1/",
        "https://127.0.0.1:1/abc/more",
        "https://127.0.0.1:1/../abc",
        "https://s3cret@127.0.0.1:1/abc",
        "https://[::1/abc",
    ],
)
def test_any_other_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no https://ACCOUNT\.blob\.core") as refused:
        read_service_uri(text, "blob")
    assert "s3cret" not in f"{refused.value!r} {refused.value.__context__!r}"


def test_a_connection_string_is_no_address() -> None:
    assert not is_address("BlobEndpoint=https://a.example;SharedAccessSignature=sv=1&sig=x")
    assert not is_address("UseDevelopmentStorage=true")
    assert is_address(f"{AZURES}?sig=x")

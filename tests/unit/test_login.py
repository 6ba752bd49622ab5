"""What is sent along with a token: proof, first, of who is to get it."""

import certifi
import pytest

from shared.database.login import login

SAFE = {"sslmode": "verify-full", "sslrootcert": certifi.where()}


def token() -> str:
    return "t0ken"


@pytest.mark.parametrize(
    ("url", "beside"),
    [
        ("postgresql://app@db.postgres.database.azure.com:6432/registry", SAFE),
        ("postgresql://app@db.example/registry?sslmode=disable", SAFE),
        ("postgresql://app@db.example/r?sslrootcert=/ca.pem", SAFE | {"sslrootcert": "/ca.pem"}),
        ("postgresql://app@127.0.0.1,db.example/registry", SAFE),
        ("postgresql://app@db.example/registry?hostaddr=127.0.0.1", SAFE),
        ("postgresql://app@localhost/registry?hostaddr=203.0.113.1", SAFE),
        ("postgresql://app@127.0.0.1.example/registry", SAFE),
        ("postgresql:///registry", SAFE),
        ("postgresql://app@127.0.0.1:5432/registry", {}),
        ("postgresql://app@localhost,127.0.0.2/registry", {}),
        ("postgresql://app@[::1]/registry", {}),
    ],
)
def test_a_server_elsewhere_proves_its_name_before_it_is_told_the_token(
    url: str, beside: dict[str, str]
) -> None:
    assert login(url, token) == {"password": "t0ken"} | beside


def test_where_no_identity_opens_it_the_url_says_it_all() -> None:
    assert login("postgresql://app:p@db.example/registry?sslmode=disable", None) == {}

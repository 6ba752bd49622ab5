"""Whose tokens are believed is told wholly and safely, or not at all."""

import pytest
from pydantic import ValidationError

from shared.bootstrap import token_service
from shared.settings import KeySettings, TokenSettings

ISSUER, AUDIENCE = "https://login.example/v2.0", "client"
KEYS = "https://login.example/keys"


def test_without_an_issuer_no_token_is_looked_at() -> None:
    assert token_service(TokenSettings()) is None


@pytest.mark.parametrize("url", [KEYS, "http://127.0.0.1:8080/keys", "http://[::1]/keys"])
def test_with_all_three_tokens_are_believed(url: str) -> None:
    read = TokenSettings(token_issuer=ISSUER, token_audience=AUDIENCE, token_jwks_url=url)
    assert token_service(read) is not None


@pytest.mark.parametrize(
    "given",
    [
        (ISSUER, "", ""),
        ("", AUDIENCE, ""),
        ("", "", KEYS),
        (ISSUER, AUDIENCE, ""),
        (ISSUER, "", KEYS),
        ("", AUDIENCE, KEYS),
    ],
)
def test_some_of_them_are_refused(given: tuple[str, str, str]) -> None:
    issuer, audience, url = given
    with pytest.raises(ValidationError, match="token_jwks_url"):
        TokenSettings(token_issuer=issuer, token_audience=audience, token_jwks_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/keys",
        "http://127.0.0.1.login.example/keys",
        "http://127.0.0.1@login.example/keys",
        "http://localhost/keys",
        "https:///keys",
        "file:///etc/keys",
        "login.example/keys",
    ],
)
def test_keys_are_read_where_nobody_can_put_in_their_own(url: str) -> None:
    with pytest.raises(ValidationError, match="https"):
        TokenSettings(token_issuer=ISSUER, token_audience=AUDIENCE, token_jwks_url=url)


def test_what_is_wrong_with_a_setting_is_told_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://unused")
    monkeypatch.setenv("REGISTRY_KEY_PEPPER", "too short a pepper")
    with pytest.raises(ValidationError) as refused:
        KeySettings()  # pyright: ignore[reportCallIssue] - the environment fills the fields
    assert "key_pepper" in str(refused.value)
    assert "too short a pepper" not in str(refused.value)

"""What is struck out of messages that are set aside, and what they need to be replayed."""

import json

import pytest

from shared.services.redaction import redacted_body, redacted_text

SECRET = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize(
    "text",
    [
        f"https://a.blob.core.windows.net/c/b?sv=1&sig={SECRET}",
        f"https%3A%2F%2Fa%2Fc%3Fsv%3D1%26sig%3D{SECRET}",
        f"https%253A%252F%252Fa%253Fsig%253D{SECRET}",
        f"https://f.azurewebsites.net/api/x?code={SECRET}",
        f"https://f.azurewebsites.net/api/x?a=1&code={SECRET}&b=2",
        f"next%3Fcode%3D{SECRET}",
        f"sig={SECRET}",
        f"(token={SECRET})",
        f"access_token={SECRET}",
        f"AccountName=a;AccountKey={SECRET};",
        f"password={SECRET} host=db",
    ],
)
def test_what_opens_something_is_struck_out(text: str) -> None:
    assert SECRET not in redacted_text(text)
    assert SECRET.encode() not in redacted_body(text.encode())
    assert SECRET.encode() not in redacted_body(json.dumps([{text: text}]).encode())


@pytest.mark.parametrize(
    "name",
    [
        "country_code=US/part-00000000000000000000.parquet",
        "admin/country_code=US/part-0.parquet",
        "exports/code=4326/tile.tif",
        "code=EPSG_4326_and_more_than_twenty/tile.tif",
        "years/design=3/token=5/sig=1.tif",
        "a?b&code=1.tif",
    ],
)
def test_names_of_blobs_stay_what_they_are(name: str) -> None:
    url = f"https://account.blob.core.windows.net/c/{name.partition('?')[0]}"
    message = json.dumps({"kind": "blob-reference", "path": name, "url": url}).encode()
    assert redacted_body(message) == message
    assert redacted_text(f"There is no blob '{name}' in container 'c'.").count(name) == 1


@pytest.mark.parametrize("piece", ["sig", "a-", "sig%25", "?code", "token=&", "%3fcode%3d", "x/"])
@pytest.mark.parametrize("length", [200_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_hostile_text_as_long_as_a_body_is_looked_through_at_once(
    piece: str, length: int
) -> None:
    # In time that grew with the square of its length, this would take many minutes.
    text = piece * (length // len(piece))
    assert len(redacted_text(text)) <= 10 * len(text)

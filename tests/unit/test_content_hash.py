import hashlib

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.errors import InvalidInput
from shared.models.content_hash import ContentHashField, content_hash_of, parse_content_hash

DIGESTS = st.binary(min_size=32, max_size=32)
STARTS_LIKE_A_MULTIHASH = bytes.fromhex("1220" + "ab" * 30)


class Carrier(BaseModel):
    content_hash: ContentHashField


@st.composite
def spellings(draw: st.DrawFn, digest: bytes) -> str:
    prefix = draw(st.sampled_from(["", "sha256:", "1220"]))
    text = prefix + digest.hex()
    upper = draw(st.integers(0, 2 ** len(text) - 1))  # a bit for each letter
    return "".join(c.upper() if upper >> place & 1 else c for place, c in enumerate(text))


@given(st.data(), DIGESTS)
@example(None, STARTS_LIKE_A_MULTIHASH)
def test_every_spelling_of_a_digest_is_one_value(data: st.DataObject | None, digest: bytes) -> None:
    spelled = data.draw(spellings(digest)) if data else digest.hex()
    assert parse_content_hash(spelled) == "1220" + digest.hex()


@given(DIGESTS, DIGESTS)
def test_different_digests_are_different_values(one: bytes, other: bytes) -> None:
    assume(one != other)
    assert parse_content_hash(one.hex()) != parse_content_hash(other.hex())


@given(DIGESTS)
def test_a_content_hash_reads_as_itself(digest: bytes) -> None:
    assert parse_content_hash(content_hash_of(digest)) == content_hash_of(digest)


def test_the_empty_stream_has_the_published_value() -> None:
    assert content_hash_of(hashlib.sha256().digest()) == (
        "1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1220",
        "sha256:",
        "a" * 63,
        "a" * 65,
        "g" * 64,
        "1220" + "a" * 63,
        "1220" + "a" * 65,
        "1114" + "a" * 64,  # a multihash, but of another function
        "sha256:1220" + "a" * 64,
        "sha512:" + "a" * 64,
        "md5:" + "a" * 32,
        "sha256-" + "a" * 64,
        " " + "a" * 64,
        "a" * 64 + "\n",
        "a" * 63 + "\0",
        "\N{FULLWIDTH DIGIT ONE}" * 64,
        "\N{LATIN SMALL LETTER LONG S}ha256:" + "a" * 64,  # casefolds to the accepted prefix
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_content_hash(text)


@given(st.text())
def test_a_text_is_read_as_a_content_hash_or_refused(text: str) -> None:
    try:
        assert parse_content_hash(text).endswith(text[-64:].lower())
    except InvalidInput:
        return


def test_a_model_field_reads_every_spelling() -> None:
    carrier = Carrier.model_validate({"content_hash": "SHA256:" + "AB" * 32})
    assert carrier.content_hash == "1220" + "ab" * 32


@pytest.mark.parametrize("value", [None, 1, b"a" * 64, ["a" * 64], "a" * 63])
def test_a_model_field_reports_what_is_no_content_hash(value: object) -> None:
    with pytest.raises(ValidationError, match="64 hex digits"):
        Carrier.model_validate({"content_hash": value})


def test_a_model_field_tells_its_format_to_the_json_schema() -> None:
    schema = Carrier.model_json_schema()["properties"]["content_hash"]
    assert schema["type"] == "string"
    assert "[0-9a-fA-F]{64}" in schema["pattern"]

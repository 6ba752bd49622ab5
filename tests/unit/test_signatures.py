"""What opens something is never kept, wherever a sender wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.models.artifacts import ArtifactChanges, ArtifactRegistration
from shared.models.client_refs import canonical_refs
from shared.models.signatures import without_signatures
from shared.models.text import MAXIMUM_DEPTH

SECRET = "c2VjcmV0JTNE"
SIGNED = f"https://a.blob.core.windows.net/c/b.tif?sv=2024-11-04&sp=r&sig={SECRET}&se=2030"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (SIGNED, "https://a.blob.core.windows.net/c/b.tif"),
        (f"see {SIGNED} and more", "see https://a.blob.core.windows.net/c/b.tif and more"),
        (f"https://x/b?SIG={SECRET}", "https://x/b"),
        (f"https://x/b?X-Amz-Date=1&X-Amz-Signature={SECRET}", "https://x/b"),
        (f"https://x/go?to=https%3A%2F%2Fy%2Fb%3Fsv%3D1%26sig%3D{SECRET}", "https://x/go"),
        (f"https%3A%2F%2Fy%2Fb%3Fsv%3D1%26sig%3D{SECRET}", "https%3A%2F%2Fy%2Fb"),
        (
            f"AccountName=a;AccountKey={SECRET}==;Other=x",
            "AccountName=a;AccountKey=REDACTED;Other=x",
        ),
        ("https://x/b?page=2&design=1", "https://x/b?page=2&design=1"),
        ("code=EPSG:4326; sig figs = 3", "code=EPSG:4326; sig figs = 3"),
        ("what?design=flat", "what?design=flat"),
        ("plain", "plain"),
        (f"https://x/b?sv=1&amp;sig={SECRET}", "https://x/b"),
        (f"https://x/go?to=https%253A%252F%252Fy%253Fsig%253D{SECRET}", "https://x/go"),
        (f'{{"u":"https://x/b?sv=1\\u0026sig={SECRET}"}}', '{"u":"https://x/b"}'),
        (f"https://x/cb#access_token={SECRET}", "https://x/cb"),
        (f"https://x/api/f?code={SECRET * 2}", "https://x/api/f"),
        ("https://epsg.io/?code=4326", "https://epsg.io/?code=4326"),
        (f"sv=2024&sp=r&sig={SECRET}&se=2030", "sv=2024&sp=r&sig=REDACTED&se=2030"),
        (f"https://me:{SECRET}@host/x", "https://host/x"),
        (f"postgresql://me:{SECRET}@host/x", "postgresql://host/x"),
        (f"Authorization: Bearer {SECRET * 2}1", "Authorization: Bearer REDACTED"),
        ("bearer of good tidings", "bearer of good tidings"),
        (f"got eyJhbGciOiJ9.eyJzdWIiOiJ4In0.{SECRET}", "got REDACTED"),
        ("ark_" + "a" * 43, "ark_REDACTED"),
        ("ark_of_noah", "ark_of_noah"),
        (f"x-functions-key: {SECRET}", "x-functions-key: REDACTED"),
        ("a:b@c, me@example.org", "a:b@c, me@example.org"),
        ("sha512-" + "A" * 86 + "==", "sha512-" + "A" * 86 + "=="),
    ],
)
def test_signed_queries_and_keys_are_cut_out_and_nothing_else(text: str, kept: str) -> None:
    assert without_signatures(text) == kept


def test_no_field_of_a_registration_keeps_a_signature() -> None:
    texts = dict.fromkeys(
        ("blob_path", "uri", "stac_item_id", "source_job_id", "producer", "content_type"), SIGNED
    )
    registration = ArtifactRegistration.model_validate(
        {
            "client_type": "ddh",
            "client_refs": {"href": SIGNED, SIGNED: [SIGNED]},
            "storage_account": "account",
            "container": "container",
            "metadata": {"links": [{"href": SIGNED}], SIGNED: 1},
            "data": {"deep": [[SIGNED]]},
            **texts,
        }
    )
    assert SECRET not in registration.model_dump_json()
    assert registration.uri == "https://a.blob.core.windows.net/c/b.tif"


def test_no_change_keeps_a_signature() -> None:
    assert SECRET not in ArtifactChanges(metadata={"href": SIGNED}).model_dump_json()


def test_references_are_the_same_whatever_signature_they_came_with() -> None:
    assert canonical_refs({"href": SIGNED}) == canonical_refs({"href": SIGNED.partition("?")[0]})


def test_json_that_nests_too_deep_is_refused() -> None:
    deep: object = 1
    for _ in range(MAXIMUM_DEPTH + 1):
        deep = [deep]
    with pytest.raises(ValidationError, match="levels"):
        ArtifactChanges.model_validate({"metadata": {"deep": deep}})


@pytest.mark.parametrize(
    "fragment",
    ["?", "?a&", "?sig", "%3f", "&", "://", "://a:", "eyJ-", "eyJaaa.", "bearer ", "a", "="],
)
@pytest.mark.parametrize("length", [200_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_text_as_long_as_a_body_is_looked_through_at_once(fragment: str, length: int) -> None:
    # In time that grew with the square of its length, this took minutes, not a tenth of a second.
    text = "=" + fragment * (length // len(fragment))
    assert without_signatures(text) == text


@given(st.text(alphabet='?&=%3df;#:/@ \\"sigcodeAark_.-1', max_size=80))
def test_what_was_cut_once_is_cut_for_good(text: str) -> None:
    once = without_signatures(text)
    assert without_signatures(once) == once

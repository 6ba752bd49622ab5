"""JSON that is refused: whatever could mean two things, or cannot be read at all."""

import pytest

from functions.http.strict_json import parse_strict_json
from shared.errors import InvalidInput


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '[{"a": {"b": 1, "b": 2}}]',
        "NaN",
        "[Infinity]",
        '{"a": -Infinity}',
        "9" * 5000,
        "[" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "",
        "{",
        "{'a': 1}",
        "1 2",
        "\ufeff{}",
    ],
    ids=str.__len__,
)
def test_a_document_without_one_clear_meaning_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_strict_json(text, "/there")
    assert refused.value.pointer == "/there"
    assert len(refused.value.summary) < 200


def test_a_clean_document_is_read() -> None:
    document = {"a": [1, 2.5, True, None], "b": {"a": "\U0001f30a"}}
    text = '{"a": [1, 2.5, true, null], "b": {"a": "\U0001f30a"}}'
    assert parse_strict_json(text) == document

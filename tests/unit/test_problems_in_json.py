"""JSON that is refused: whatever could mean two things, or cannot be read at all."""

import tracemalloc

import pytest

from functions.http.strict_json import parse_strict_json
from shared.errors import InvalidInput


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ('{"a": 1, "a": 1}', "/a"),
        ('[{"x": 0, "a": {"b": 1, "c/d": 2, "c/d": 3}}]', "/0/a/c~1d"),
        ('{"a": {"b": 1, "b": 1}, "a": 2}', "/a"),
        ("NaN", ""),
        ("[0, Infinity]", "/1"),
        ('{"a": -Infinity}', "/a"),
        ('{"a": [1e400]}', "/a/0"),
        ("-1e999", ""),
        ("9" * 5000, ""),
        ("[" * 100_000, ""),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, ""),
        ("", ""),
        ("{", ""),
        ("{'a': 1}", ""),
        ("1 2", ""),
        ("\ufeff{}", ""),
        (b"\xef\xbb\xbf{}", ""),
        (b'"\xff"', ""),
        (b'"\xed\xa0\x80"', ""),
        (b'"\xc0\xaf"', ""),
        ("{}".encode("utf-16"), ""),
        ("{}".encode("utf-16-le"), ""),
        ("{}".encode("utf-32"), ""),
    ],
    ids=lambda value: str(len(value)),
)
def test_a_document_without_one_clear_meaning_is_refused(
    document: str | bytes, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_strict_json(document, "/there")
    assert refused.value.pointer == "/there" + pointer
    assert len(refused.value.summary) < 200


def test_a_clean_document_is_read() -> None:
    document = {"a": [1, 2.5, True, None], "b": {"a": "\U0001f30a"}}
    text = '{"a": [1, 2.5, true, null], "b": {"a": "\U0001f30a"}}'
    assert parse_strict_json(text) == document
    assert parse_strict_json(text.encode()) == document


def test_a_large_document_with_one_repeated_member_is_refused_at_once() -> None:
    members = "".join(f'"{number}": 0, ' for number in range(200_000))
    with pytest.raises(InvalidInput) as refused:
        parse_strict_json(f'{{{members}"199999": 0}}')
    assert refused.value.pointer == "/199999"


def test_a_long_name_above_many_values_is_not_repeated_for_each_of_them() -> None:
    # Before anybody is let in: 1 MiB of this would otherwise take 100 GiB of memory.
    name = "n" * 5_000
    document = f'{{"{name}": [{"1," * 5_000}NaN]}}'
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput) as refused:
            parse_strict_json(document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.pointer == f"/{name}/5000"
    assert peak < 4 * 1024 * 1024

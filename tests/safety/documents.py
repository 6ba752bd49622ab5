"""Bodies that have no one meaning, or none at all, made from a body that is good."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

DEPTH = 10_000
DIGITS = 10_000
TWO_MIB = 2 * 1024 * 1024


def broken_documents(good: object) -> Iterator[tuple[str, bytes]]:
    """What is no JSON document of one meaning, by name."""
    text = json.dumps(good)
    yield "truncated", text.encode()[:-1]
    yield "cut within a character", text.encode()[:-1] + b'"\xc3'
    yield "two documents", text.encode() * 2
    yield "trailing comma", text.encode()[:-1] + b",}"
    yield "single quotes", text.replace('"', "'").encode()
    yield "comment", text.encode() + b"// end"
    yield "byte order mark", b"\xef\xbb\xbf" + text.encode()
    yield "UTF-16", text.encode("utf-16")
    yield "UTF-16 without a mark", text.encode("utf-16-le")
    yield "UTF-32", text.encode("utf-32")
    yield "UTF-7", b"+AHs-" + text.encode()[1:]
    yield "NUL octet", b"\x00" + text.encode()
    yield "white space alone", b" \n"
    yield "deep arrays", b"[" * DEPTH + b"]" * DEPTH
    yield "deep objects", b'{"a":' * DEPTH + b"1" + b"}" * DEPTH
    yield "deep and open", b"[" * DEPTH
    yield "deep and mixed", b'[{"a":' * DEPTH + b"1" + b"}]" * DEPTH
    for name, value in _values():
        yield name, _with_member(good, value)
    yield "member twice", _with_member(good, b'{"a": 1, "a": 2}')
    yield "member twice, escaped", _with_member(good, b'{"a": 1, "\\u0061": 1}')
    yield "top member twice", text.encode()[:-1] + _first_member_again(text)


def _values() -> Iterator[tuple[str, bytes]]:
    for constant in (b"NaN", b"Infinity", b"-Infinity", b"nan", b"undefined"):
        yield constant.decode(), constant
    yield "number beyond doubles", b"1e400"
    yield "number beyond doubles, negative", b"-1e400"
    yield "number of many digits", b"9" * DIGITS
    yield "leading zero", b"007"
    yield "hexadecimal number", b"0x10"
    yield "NUL escaped", b'"a\\u0000b"'
    yield "NUL in text", b'"a\x00b"'
    yield "lone high surrogate", b'"\\ud800"'
    yield "lone low surrogate", b'"\\udc00 x"'
    yield "surrogates the wrong way round", b'"\\udc00\\ud800"'
    yield "overlong slash", b'"\xc0\xaf"'
    yield "overlong NUL", b'"\xc0\x80"'
    yield "surrogate in UTF-8", b'"\xed\xa0\x80"'
    yield "beyond Unicode", b'"\xf4\x90\x80\x80"'
    yield "Latin-1", b'"caf\xe9"'
    yield "raw line break", b'"a\nb"'
    yield "unknown escape", b'"\\x41"'
    yield "NUL in a name", b'{"\\u0000": 1}'
    yield "lone surrogate in a name", b'{"\\ud800": 1}'
    yield "deep within", b"[" * DEPTH + b"]" * DEPTH


def _with_member(good: object, value: bytes) -> bytes:
    """The body with this value where any JSON may stand, else as a member of its own."""
    marked = json.dumps(_marked(good)).encode()
    assert marked.count(b'"\\u2020"') == 1
    return marked.replace(b'"\\u2020"', value)


def _marked(good: object) -> object:
    assert isinstance(good, dict)
    members = cast("dict[str, Any]", good)
    if isinstance(members.get("artifacts"), list):
        first: Mapping[str, Any] = members["artifacts"][0]
        return members | {"artifacts": [_marked(first)]}
    if isinstance(members.get("metadata"), dict):
        return members | {"metadata": {"any": "\u2020"}}
    return members | {"any": "\u2020"}


def _first_member_again(text: str) -> bytes:
    name, value = next(iter(json.loads(text).items()))
    return f", {json.dumps(name)}: {json.dumps(value)}}}".encode()

"""How an input is cut into requests."""

import io
import json

from cli.batches import MAXIMUM_BYTES, portions, read_items, request_body


def test_no_request_holds_more_than_the_registry_takes() -> None:
    lines = "".join(json.dumps({"n": n, "data": "x" * (n % 4_000)}) + "\n" for n in range(5_000))
    cut = list(portions(read_items(io.BytesIO(lines.encode()))))
    assert [item.position for portion in cut for item in portion] == list(range(1, 5_001))
    assert max(len(portion) for portion in cut) <= 1000
    assert max(len(request_body(portion, atomic=False)) for portion in cut) < MAXIMUM_BYTES


def test_small_items_fill_a_request() -> None:
    cut = list(portions(read_items(io.BytesIO(b"{}\n" * 2_001))))
    assert [len(portion) for portion in cut] == [1000, 1000, 1]


def test_lines_and_an_array_are_the_same_items() -> None:
    lines = list(read_items(io.BytesIO(b'{"a":1}\n\n{"b":2}')))
    array = list(read_items(io.BytesIO(b'\n[\n{"a":1},\n{"b":2}]')))
    assert lines == array
    assert json.loads(request_body(array, atomic=True)) == {
        "atomic": True,
        "artifacts": [{"a": 1}, {"b": 2}],
    }


def test_lines_are_read_as_they_are_asked_for() -> None:
    source = io.BytesIO(b'{"a":1}\n' * 10_000)
    next(portions(read_items(source)))
    assert source.tell() < 10_000

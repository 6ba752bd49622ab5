"""YAML is read where it can mean one thing only, and hostile YAML costs nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from cli.yaml_input import YamlDocument
from cli.yaml_text import as_yaml

VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FILE = """\
# a comment
rules:
- name: one
  path: '{a}/{b}.tif'
- name: two
  client_refs:
    a/b: 1
    list:
    - x
    - {c~d: y}
"""


@given(VALUES)
def test_what_the_commands_write_is_read_back_as_it_was(value: JsonValue) -> None:
    assert repr(YamlDocument(as_yaml({"value": value})).value) == repr({"value": value})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("word", "word"),
        ("two words", "two words"),
        ("1.2.3", "1.2.3"),
        ("a/{b}.tif", "a/{b}.tif"),
        ("'no'", "no"),
        ('"010"', "010"),
        ("|\n  1\n", "1\n"),
        ("7", 7),
        ("-1.5", -1.5),
        ("1.5e+3", 1500.0),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("[a, 1]", ["a", 1]),
        ("{b: 1}", {"b": 1}),
    ],
)
def test_what_means_one_thing_is_read(text: str, value: JsonValue) -> None:
    assert repr(YamlDocument(f"a: {text}").value) == repr({"a": value})


@pytest.mark.parametrize(
    "text",
    ["no", "Yes", "on", "TRUE", "Null", "010", "08", "0x1F", "0o17", "1_000", "+1", "1.", ".5"],
)
def test_what_versions_of_yaml_disagree_about_is_asked_for_in_quotes(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 2, column 6: .* in quotes"):
        YamlDocument(f"x: 1\nabc: {text}")


@pytest.mark.parametrize(
    "text",
    ["1e3", "1:30", "2024-01-01", "2024-01-01T00:00:00Z", ".inf", "-.inf", ".nan", "=", "<<"],
)
def test_what_would_become_no_text_is_asked_for_in_quotes(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 2, column 6: .* in quotes"):
        YamlDocument(f"x: 1\nabc: {text}")


BOMB = "a: &a [x, x]\n" + "".join(
    f"{after}: &{after} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, after in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "line 1, column 4: anchors and aliases"),
        ("a: *b", "anchors and aliases"),
        ("a: {<<: {b: 1}}", "two ways"),
        ("[" * 500_000, "line 1, column 101: nested too deep"),
        ("- " * 250_000, "nested too deep"),
        ("{a: " * 200_000, "nested too deep"),
        ("a: !!python/object/apply:os.system [id]", "tags are not read"),
        ("a: !!str 1", "tags are not read"),
        ("a: !include x", "tags are not read"),
        ("a: 1\n---\na: 2", "line 2, column 1: a second document"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: a member is given twice"),
        ("1: a", "a member's name is text"),
        ("null: a", "a member's name is text"),
        ("? [a]\n: b", "a member's name is text"),
        ("a: x: y", "line 1, column 5"),
        ("a: [", "line 2, column 1"),
        ("a: \x00", "not allowed"),
        ('a: "\\ud83d"', "line 1"),
        ("path: {a}/{b}.tif", "in quotes"),
        ("a: " + "9" * 5000, "digits"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        YamlDocument(text)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 2),
        ("/rules", 2),
        ("/rules/0", 3),
        ("/rules/0/path", 4),
        ("/rules/1", 5),
        ("/rules/1/client_refs/a~1b", 7),
        ("/rules/1/client_refs/list/1/c~0d", 10),
        ("/rules/1/missing", 5),
        ("/rules/9/name", 2),
        ("/rules/x", 2),
        ("/other", 2),
    ],
)
def test_a_pointer_leads_to_its_line_or_to_what_is_around_it(pointer: str, line: int) -> None:
    assert YamlDocument(FILE).line_of(pointer) == line


def test_an_empty_document_is_null_and_has_no_lines() -> None:
    document = YamlDocument("# nothing\n")
    assert (document.value, document.line_of("/rules")) == (None, None)

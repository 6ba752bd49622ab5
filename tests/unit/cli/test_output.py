"""Results keep their meaning, whichever reader of YAML or JSON takes them."""

import json

import pytest
import yaml

from cli.output import Output, write_many


@pytest.mark.parametrize(
    "text",
    [
        *("no", "null", "1e3", "0o17", "1220", "12:30:45", "2026-01-01", "=", "~", "", " x"),
        *("a: b", "- a", "é", "\x9b", "\u202e", "a\nb", "\N{GRINNING FACE}", "\U000e0001"),
    ],
)
@pytest.mark.parametrize("output", [Output.JSON, Output.YAML])
def test_every_text_comes_back_as_itself(
    text: str, output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    write_many([{"value": text}, {text: 1}], output, [])
    written = capsys.readouterr().out
    read = json.loads(written) if output is Output.JSON else yaml.safe_load(written)
    assert read == [{"value": text}, {text: 1}]
    assert all(mark == "\n" or mark.isprintable() for mark in written)


@pytest.mark.parametrize("text", ["1e3", "0o17", "1220", "0x1f", ".5", "+1"])
def test_what_some_reader_takes_for_a_number_is_quoted(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_many([{"value": text}], Output.YAML, [])
    assert capsys.readouterr().out == f'- value: "{text}"\n'


def test_nothing_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    write_many([], Output.JSON, [])
    write_many([], Output.YAML, [])
    assert capsys.readouterr().out == "[]\n[]\n"

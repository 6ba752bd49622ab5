"""Sizes as people say them, and lists in boxes."""

import pytest

from cli.builds.writing import size_text, write_list
from cli.output import Output


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (2, "2 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KB"),
        (1_572_864, "1.5 MB"),
        (2_147_483_648, "2.0 GB"),
        (3_221_225_472, "3.0 GB"),
        (2**63 - 1, "8.0 EB"),
    ],
)
def test_a_size_in_units_of_1024(size: int, text: str) -> None:
    assert size_text(size) == text


def test_what_a_box_holds_cannot_break_out_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "[red]a[/red]\x1b[2J\n│ b │"
    write_list([{"name": hostile, "more": 1}], Output.TABLE, {"Name": "name"})
    written = capsys.readouterr().out
    assert len(set(map(len, written.splitlines()))) == 1
    assert written.splitlines()[3] == "│ [red]a[/red]\\u001b[2J\\n│ b │ │"


def test_a_long_value_is_written_whole(capsys: pytest.CaptureFixture[str]) -> None:
    write_list([{"name": "x" * 5000}], Output.TABLE, {"Name": "name"})
    assert "x" * 5000 in capsys.readouterr().out


def test_of_an_empty_list_the_titles_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    write_list([], Output.TABLE, {"Name": "name"})
    assert capsys.readouterr().out.splitlines()[1] == "│ Name │"

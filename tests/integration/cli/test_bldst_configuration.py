"""Which registry `bldst` asks, with which key, and how it writes what it is told."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import bldst
from shared.bootstrap import Registry
from shared.models.api_keys import Scope
from tests.integration.cli.conftest import Terminal, refused
from tests.integration.cli.test_trouble import answering

LIST = ("build", "list")
NONE = b'{"builds": [], "next": null}'
KEY = "ark_" + "x" * 40


@pytest.fixture
def place() -> Iterator[tuple[str, list[str]]]:
    """Where every list is empty: its address, and what was asked there."""
    with answering((200, {}, NONE)) as told:
        yield told


def home(tmp_path: Path, **settings: str) -> Terminal:
    return Terminal({"HOME": str(tmp_path), **settings}, bldst.app)


def configured(tmp_path: Path, text: str) -> Path:
    file = tmp_path / ".bldst.yaml"
    file.touch(mode=0o600)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("", "/api/builds"),
        ("/", "/api/builds"),
        ("/api", "/api/builds"),
        ("/api/", "/api/builds"),
        ("/registry/v2", "/registry/v2/api/builds"),
        ("/registry/api/", "/registry/api/builds"),
    ],
)
def test_an_address_is_named_with_its_api_or_without(
    tmp_path: Path, place: tuple[str, list[str]], given: str, asked: str
) -> None:
    url, seen = place
    terminal = home(tmp_path, BLDST_API_URL=url + given, BLDST_API_KEY=KEY)
    assert terminal.run(*LIST).exit_code == 0
    assert [path.partition("?")[0] for path in seen] == [asked]


def test_what_was_configured_is_used_and_kept_from_others(
    server: Terminal, registry: Registry, tmp_path: Path
) -> None:
    url = server.settings["BLDST_API_URL"]
    key = registry.keys.create("kept", [Scope.READ]).text
    terminal = home(tmp_path)
    made = terminal.run("configure", "--url", url.removesuffix("/api"), stdin=f"{key}\n")
    assert (made.exit_code, made.stdout) == (0, ""), made.stderr
    file = tmp_path / ".bldst.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key not in made.stderr
    assert terminal.read(*LIST) == []
    elsewhere = file.rename(tmp_path / "other.yaml")
    refused(terminal.run(*LIST), 2, "BLDST_API_URL", str(file))
    assert terminal.read("--config", str(elsewhere), *LIST) == []


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = configured(tmp_path, f"api_url: https://registry.example\napi_key: {KEY}\n")
    file.chmod(0o640)
    refused(home(tmp_path).run(*LIST), 2, f"chmod 600 {file}")


@pytest.mark.parametrize(
    "text",
    [
        f"api_url: https://registry.example\nkey: {KEY}\n",
        f"- {KEY}\n",
        f"api_key: *{KEY}\n",
        f"api_key: {{{KEY}\n",
        f"api_url: 7\napi_key: {KEY}\n",
    ],
)
def test_a_file_that_says_something_else_is_refused_without_its_key(
    tmp_path: Path, text: str
) -> None:
    configured(tmp_path, text)
    result = home(tmp_path).run(*LIST)
    refused(result, 2, "is no configuration")
    assert KEY not in result.stderr


@pytest.mark.parametrize("text", ["", "# api_url: ...\n", "{}\n"])
def test_an_empty_file_says_nothing(
    tmp_path: Path, place: tuple[str, list[str]], text: str
) -> None:
    url, _ = place
    named = ("--config", str(configured(tmp_path, text)))
    terminal = home(tmp_path, BLDST_API_KEY=KEY)
    refused(terminal.run(*named, *LIST), 2, "BLDST_API_URL")
    assert terminal.having(BLDST_API_URL=url).run(*named, *LIST).exit_code == 0


def test_the_environment_beats_the_file_and_an_option_beats_both(
    tmp_path: Path, place: tuple[str, list[str]]
) -> None:
    url, seen = place
    configured(tmp_path, f"api_url: http://127.0.0.1:1\napi_key: {KEY}\n")
    terminal = home(tmp_path, BLDST_API_KEY=KEY)
    refused(terminal.run(*LIST), 6, "127.0.0.1:1")
    assert terminal.having(BLDST_API_URL=url).run(*LIST).exit_code == 0
    away = terminal.having(BLDST_API_URL="http://127.0.0.1:1")
    assert away.run("--url", url, *LIST).exit_code == 0
    assert len(seen) == 2


def test_the_key_of_the_file_goes_to_its_own_address_only(
    tmp_path: Path, place: tuple[str, list[str]]
) -> None:
    url, seen = place
    configured(tmp_path, f"api_url: https://registry.example\napi_key: {KEY}\n")
    refused(home(tmp_path, BLDST_API_URL=url).run(*LIST), 2, "https://registry.example only")
    assert seen == []


@pytest.mark.parametrize(
    "settings",
    [
        {"BLDST_API_KEY": KEY},
        {"BLDST_API_URL": "https://registry.example"},
        {"BLDST_API_URL": "http://registry.example", "BLDST_API_KEY": KEY},
        {"BLDST_API_URL": "https://me:secret@registry.example", "BLDST_API_KEY": KEY},
        {"BLDST_API_URL": "https://registry.example", "BLDST_API_KEY": "a\nb"},
    ],
)
def test_what_is_not_clear_or_not_safe_is_refused(tmp_path: Path, settings: dict[str, str]) -> None:
    result = home(tmp_path, **settings).run(*LIST)
    refused(result, 2)
    assert "secret" not in result.stderr


def test_the_form_of_the_result_stands_before_the_verb_or_after_it(server: Terminal) -> None:
    form = ("-o", "json")
    for command in (
        (*form, "build", "create", "1"),
        ("build", *form, "create", "2"),
        ("build", "create", *form, "3"),
        ("build", "create", "4", *form),
        ("-o", "table", "build", "-o", "yaml", "create", "5", *form),
    ):
        made = server.run(*command)
        assert made.exit_code == 0, made.stderr
        assert json.loads(made.stdout)["status"] == "pending"
    assert server.run("-o", "yaml", *LIST).stdout.startswith("- id: ")
    assert server.run(*LIST).stdout.startswith("┌")

"""Where the address and the key come from, and who gets to see them."""

import stat
from pathlib import Path

from shared.bootstrap import Registry
from tests.integration.cli.conftest import Terminal, refused

LIST = ("artifacts", "list", "-o", "json")
KEY = "ark_" + "k" * 39 + "last"


def _file(directory: Path) -> Path:
    return directory / "artifact-registry" / "profiles.ini"


def _keyless(terminal: Terminal) -> Terminal:
    return terminal.without("REGISTRY_API_URL", "REGISTRY_API_KEY")


def test_a_profile_is_kept_for_its_owner_only_and_opens_the_registry(
    terminal: Terminal, tmp_path: Path
) -> None:
    url, key = terminal.settings["REGISTRY_API_URL"], terminal.settings["REGISTRY_API_KEY"]
    home = _keyless(terminal)
    refused(home.run(*LIST), 2, "no registry is named")
    made = home.run("profile", "set", "here", "--url", url, stdin=f"{key}\n")
    assert (made.exit_code, made.stdout) == (0, "")
    assert stat.S_IMODE(_file(tmp_path).stat().st_mode) == 0o600
    assert home.run(*LIST).stdout == "[]\n"
    for shown in (home.run("profile", "list"), home.run("profile", "show", "-o", "yaml"), made):
        assert key not in shown.stdout + shown.stderr
    assert home.read("profile", "show")["api_key"] == f"ark_…{key[-4:]}"


def test_a_profile_that_others_can_read_is_refused_with_what_to_do(
    terminal: Terminal, tmp_path: Path
) -> None:
    home = _keyless(terminal)
    url = terminal.settings["REGISTRY_API_URL"]
    assert home.run("profile", "set", "here", "--url", url, stdin=KEY).exit_code == 0
    _file(tmp_path).chmod(0o640)
    refused(home.run(*LIST), 2, f"chmod 600 {_file(tmp_path)}")
    assert terminal.run(*LIST).exit_code == 0


def test_option_beats_environment_beats_profile(terminal: Terminal) -> None:
    url, key = terminal.settings["REGISTRY_API_URL"], terminal.settings["REGISTRY_API_KEY"]
    home = _keyless(terminal)
    for name, address in (("away", "http://127.0.0.1:1"), ("here", url)):
        assert home.run("profile", "set", name, "--url", address, stdin=KEY).exit_code == 0
    refused(home.run("--profile", "here", *LIST), 4)
    good = home.having(REGISTRY_API_KEY=key)
    assert good.run("--profile", "here", *LIST).exit_code == 0
    assert good.having(REGISTRY_PROFILE="here").run(*LIST).exit_code == 0
    assert (
        good.having(REGISTRY_API_URL="http://127.0.0.1:1").run("--url", url, *LIST).exit_code == 0
    )
    assert home.run("profile", "use", "here").exit_code == 0
    assert good.run(*LIST).exit_code == 0
    refused(good.run("--profile", "none", *LIST), 2, "no profile none")


def test_the_key_of_a_profile_goes_to_its_own_address_only(terminal: Terminal) -> None:
    home = _keyless(terminal)
    home.run("profile", "set", "away", "--url", "https://registry.example", stdin=KEY)
    url = terminal.settings["REGISTRY_API_URL"]
    refused(home.run("--url", url, *LIST), 2, "https://registry.example/ only")
    home.run("profile", "set", "away", "--url", url, stdin="")
    refused(home.run(*LIST), 2, "there is no key")


def test_a_key_does_not_travel_in_clear_text_or_with_another(terminal: Terminal) -> None:
    plain = terminal.having(REGISTRY_API_URL="http://registry.example")
    refused(plain.run(*LIST), 2, "--insecure")
    both = terminal.having(REGISTRY_TOKEN="eyJ")
    refused(both.run(*LIST), 2, "REGISTRY_API_KEY and REGISTRY_TOKEN")
    for url in ("ftp://127.0.0.1", "https://", "https://me:secret@registry.example", "https://a?b"):
        result = terminal.having(REGISTRY_API_URL=url).run(*LIST)
        refused(result, 2)
        assert "secret" not in result.stderr
    refused(terminal.having(REGISTRY_API_KEY="a\nb").run(*LIST), 2)


def test_a_token_is_sent_as_a_bearer(terminal: Terminal, registry: Registry) -> None:
    token = terminal.without("REGISTRY_API_KEY").having(REGISTRY_TOKEN="eyJ.none.good")
    refused(token.run(*LIST), 4, "A valid API key or token is needed")


def test_a_broken_file_is_refused_without_its_key(terminal: Terminal, tmp_path: Path) -> None:
    _file(tmp_path).parent.mkdir()
    _file(tmp_path).touch(mode=0o600)
    _file(tmp_path).write_text(f"api_key = {KEY}\n")
    refused(_keyless(terminal).run(*LIST), 2, "not a file of profiles")
    assert KEY not in _keyless(terminal).run(*LIST).stderr

"""Which registry `bldst` talks to, and with which key: the environment, then `~/.bldst.yaml`.

A key of the file goes to the file's own address only.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import JsonValue

from cli.arguments import given
from cli.connecting import asking
from cli.connection import Connection, checked_key, checked_url, is_loopback
from cli.misuse import refuse
from cli.private_files import read_private, write_private

if TYPE_CHECKING:
    import httpx

    from cli.client import RegistryClient

_FORMS = {"api_url": str, "api_key": str, "insecure": bool}


@dataclass(frozen=True)
class BuildOptions:
    """What was said on the command line or in the environment."""

    url: str | None = None
    config: Path | None = None
    insecure: bool = False


@dataclass(frozen=True)
class Configuration:
    """What a file says."""

    path: Path
    url: str | None
    api_key: str | None = field(repr=False)
    insecure: bool = False


@contextmanager
def connected(context: typer.Context) -> Generator["RegistryClient"]:
    """A client of the registry that is meant; ends the command where it fails."""
    options = context.find_object(BuildOptions) or BuildOptions()
    with asking(lambda: _resolve(options)) as client:
        yield client


def read_configuration(named: Path | None) -> Configuration:
    """What the file of that name says, else the one of the home directory; nothing if it is none.

    Raises Misuse where others can read it, or where it says something else.
    """
    path = named or configuration_path()
    text = read_private(path)
    if text is None:
        if named is not None:
            refuse(f"there is no file {path}")
        return Configuration(path, None, None)
    said = _understood(path, text)
    url, key = said.get("api_url"), said.get("api_key")
    return Configuration(
        path,
        url if isinstance(url, str) else None,
        key if isinstance(key, str) else None,
        said.get("insecure") is True,
    )


def write_configuration(kept: Configuration) -> None:
    """Replace the file at once. Raises Misuse."""
    from cli.yaml_text import as_yaml  # noqa: PLC0415 - its library is for this alone

    said = given(api_url=kept.url, api_key=kept.api_key, insecure=kept.insecure or None)
    write_private(kept.path, as_yaml(said))


def configuration_path() -> Path:
    """Where the file is, whether it exists or not."""
    return Path.home() / ".bldst.yaml"


def api_address(text: str, *, insecure: bool) -> "httpx.URL":
    """An address, named with its `/api` or without. Raises Misuse."""
    url = checked_url(text, insecure=insecure)
    return url if url.path.endswith("/api/") else url.copy_with(path=f"{url.path}api/")


def _resolve(options: BuildOptions) -> Connection:
    key = os.environ.get("BLDST_API_KEY")
    # The file is not even opened where the environment says everything.
    is_said = options.url and key and options.config is None
    file = Configuration(Path(), None, None) if is_said else read_configuration(options.config)
    url = options.url or file.url
    if url is None:
        refuse(f"no registry is named: set BLDST_API_URL, or keep api_url in {file.path}")
    address = api_address(url, insecure=options.insecure or file.insecure)
    credential = {"X-API-Key": checked_key(key or _key_of(file, address))}
    return Connection(str(address), credential, is_loopback(address.host))


def _key_of(file: Configuration, address: "httpx.URL") -> str:
    if file.api_key is None:
        refuse(f"there is no key: set BLDST_API_KEY, or keep api_key in {file.path}")
    if file.url is None or api_address(file.url, insecure=True) != address:
        refuse(f"the key in {file.path} is for {file.url or 'no address'} only: set BLDST_API_KEY")
    return file.api_key


def _understood(path: Path, text: str) -> dict[str, JsonValue]:
    from cli.yaml_input import YamlDocument  # noqa: PLC0415 - its library is for this alone

    try:
        said = YamlDocument(text).value
    except ValueError:
        said = ""  # what the reader says may repeat a part of the key
    if said is None:
        return {}  # an empty file, or nothing but comments
    if not isinstance(said, dict) or not all(map(_is_known, said, said.values())):
        refuse(f"{path} is no configuration: it holds 'api_url: ...' and 'api_key: ...', as text")
    return said


def _is_known(name: str, value: JsonValue) -> bool:
    return name in _FORMS and (value is None or isinstance(value, _FORMS[name]))

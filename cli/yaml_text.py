"""Results as YAML; imported when they are asked for so."""

import re

import yaml
from pydantic import JsonValue

from cli.printable import printable_lines

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")


class _Yaml(yaml.SafeDumper):
    """Quotes what some reader of YAML might take for a number, a time or a switch."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Plain where the library agrees: it quotes `no` and `null` of its own accord.
    style = None if _PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar(  # pyright: ignore[reportUnknownMemberType] - its stub is vague
        "tag:yaml.org,2002:str", text, style=style
    )


_Yaml.add_representer(str, _represent_text)


def as_yaml(value: JsonValue) -> str:
    """What a terminal shows as it is."""
    text = _dump(value, readable=True)
    return text if text == printable_lines(text) else _dump(value, readable=False)


def _dump(value: JsonValue, *, readable: bool) -> str:
    return yaml.dump(value, Dumper=_Yaml, allow_unicode=readable, sort_keys=False, width=100)

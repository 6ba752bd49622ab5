"""The app settings of the local stack."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field

EXAMPLE = "local.settings.example.json"


class _Example(BaseModel):
    values: dict[str, str] = Field(alias="Values")


def app_settings(app: Path, of_the_stack: Mapping[str, str]) -> dict[str, str]:
    """The environment of the app and of its command line.

    Last wins: the app's own example, what the user has set, and what only the stack knows.
    """
    return {**_example(app / EXAMPLE), **os.environ, **of_the_stack}


def _example(path: Path) -> dict[str, str]:
    return _Example.model_validate_json(path.read_text()).values if path.exists() else {}

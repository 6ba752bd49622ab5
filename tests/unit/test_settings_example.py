"""`local.settings.example.json` names every setting and holds no secret.

What may stand in place of a connection string is not there: an empty `…__blobServiceUri` too tells
the binding of blobs to ask by an identity.
"""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.settings import KeySettings, Settings, variable_of

EXAMPLE = Path(__file__).parents[2] / "local.settings.example.json"
VALUES: dict[str, str] = json.loads(EXAMPLE.read_text())["Values"]
IN_PLACE = {name for name in Settings.model_fields if "__" in name}
SECRETS = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}


def test_every_setting_stands_in_the_example_and_nothing_else_of_ours_does() -> None:
    expected = {variable_of(name) for name in Settings.model_fields.keys() - IN_PLACE}
    assert {name for name in VALUES if name.startswith("REGISTRY_")} == expected


def test_what_the_example_gives_are_the_defaults() -> None:
    """So that who copies the file gets what who leaves it out gets."""
    given = {name: VALUES[variable_of(name)] for name in Settings.model_fields.keys() - IN_PLACE}
    filled_in = {"key_pepper": "p" * 32, "database_url": "postgresql://unused"}
    example = Settings.model_validate(given | filled_in)
    for name, field in Settings.model_fields.items():
        if not field.is_required() and name != "storage":  # the URIs would do as well
            assert getattr(example, name) == field.default, name


@pytest.mark.parametrize("name", ["key_pepper", "database_url"])
def test_a_placeholder_is_refused_as_what_it_stands_for(name: str) -> None:
    filled_in = {"key_pepper": "p" * 32, "database_url": "postgresql://unused"}
    KeySettings.model_validate(filled_in)
    with pytest.raises(ValidationError):
        KeySettings.model_validate(filled_in | {name: VALUES[variable_of(name)]})


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_of_the_settings_is_a_placeholder_in_the_example(name: str) -> None:
    value = VALUES[variable_of(name)]
    is_placeholder = value.startswith("<") and value.endswith(">")
    assert value in {"", "UseDevelopmentStorage=true"} or is_placeholder


def test_no_value_of_the_example_looks_like_a_secret() -> None:
    for name, value in VALUES.items():
        telling = [mark for mark in ("AccountKey", "sig=", "://", "password") if mark in value]
        assert not telling, name
        assert len(value) < 64, name


def test_the_local_settings_of_a_checkout_are_never_committed() -> None:
    ignored = (EXAMPLE.parent / ".gitignore").read_text().split()
    assert "local.settings.json" in ignored

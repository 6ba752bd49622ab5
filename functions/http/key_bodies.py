"""What key management asks and answers with."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.models.api_keys import ApiKey, CreatedKey, Scope
from shared.models.durations import Duration
from shared.models.text import Text
from shared.services.api_keys import DEFAULT_OVERLAP

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}", re.ASCII)


def _written_moment(value: object) -> object:
    if not isinstance(value, str) or not _MOMENT.match(value):
        raise ValueError("write it like 2030-01-31T12:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment)]
"""An instant; a number would be taken for seconds, whatever it was meant to be."""


class KeyRequest(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    """Who or what the key is for."""
    scopes: Annotated[list[Scope], Field(max_length=len(Scope))]
    """What it allows: exactly these, none of which includes another."""
    expires_at: Moment | None = None
    """From when on it opens nothing; null for never."""


class ExpiryRequest(BaseModel):
    """When a key is to end instead."""

    model_config = ConfigDict(extra="forbid")

    expires_at: Moment | None


class RotationRequest(BaseModel):
    """How long the old key goes on beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap: Duration = DEFAULT_OVERLAP
    """From nothing (`PT0S`) to 90 days."""


class NewKeyAnswer(ApiKey):
    """A new key, with the only copy of its text."""

    model_config = ConfigDict(defer_build=True)

    key: str

    @classmethod
    def of(cls, made: CreatedKey) -> "NewKeyAnswer":
        return cls(key=made.text, **dict(made.key))

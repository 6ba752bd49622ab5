"""The message that asks to take another one, which was set aside, once more."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import MalformedMessage

REPLAY = "replay"


class _Replay(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str
    set_aside_id: UUID


def replay_in(document: object) -> UUID | None:
    """Which message set aside is to be taken again; None where the document asks for no replay.

    Raises MalformedMessage for one that asks, but does not say which.
    """
    if not isinstance(document, dict) or document.get("kind") != REPLAY:  # pyright: ignore[reportUnknownMemberType] - any JSON
        return None
    try:
        return _Replay.model_validate(document).set_aside_id
    except ValidationError:
        raise MalformedMessage("A replay names the message that was set aside.") from None

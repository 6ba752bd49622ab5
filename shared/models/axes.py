"""The three axes of an artifact's state, and the documents' status that derives from them."""

from enum import StrEnum


class Processing(StrEnum):
    """Whether the bytes are there yet."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class Stage(StrEnum):
    """How far an artifact was promoted; one way."""

    INTERMEDIATE = "intermediate"
    CANDIDATE = "candidate"
    PUBLISHED = "published"


class Disposition(StrEnum):
    """What became of the bytes; one way."""

    LIVE = "live"
    ARCHIVED = "archived"
    DELETED = "deleted"
    PURGED = "purged"


class Status(StrEnum):
    """The documents' word; a generated column derives it in the database, and nothing else does."""

    PENDING = "pending"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    ARCHIVED = "archived"
    DELETED = "deleted"

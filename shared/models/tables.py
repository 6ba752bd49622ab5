"""Tables of databases beside the registry's own, and which of them it may read."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

ALL_TABLES = "*"


@dataclass(frozen=True)
class TableReference:
    """Which table: names as PostgreSQL holds them, letter case and all, never quoted."""

    source: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"'{self.schema}.{self.name}' of '{self.source}'"


def _postgresql(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("a table source is reached by a postgresql:// URL")
    return url


SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""What registrations call a source in `storage_account`."""

_Pattern = Annotated[str, Field(pattern=r"^[^.*\x00]{1,63}\.(?:\*|[^*\x00]{1,63})$")]


class TableSource(BaseModel):
    """A database whose tables may be read where they are listed, as a role that need only read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[SecretStr, AfterValidator(_postgresql)]
    identity: bool = False
    """Whether the app's identity opens it: its token of the moment is the password."""
    tables: tuple[_Pattern, ...] = Field(min_length=1)
    """`schema.table`, or `schema.*` for all of a schema."""
    statement_timeout_seconds: float = Field(default=600, ge=0.001, lt=1800)
    """How long reading one table may take; a function has 30 minutes for all that it does."""

    def lists(self, table: TableReference) -> bool:
        """Whether the table is one of those that may be read."""
        listed = {tuple(pattern.split(".", 1)) for pattern in self.tables}
        wanted = {(table.schema, table.name), (table.schema, ALL_TABLES)}
        return not listed.isdisjoint(wanted)

"""Content hashes of tables: SHA-256 of what `COPY` says of them."""

import hashlib
from dataclasses import dataclass

from shared.models.content_hash import ContentHash, content_hash_of
from shared.models.tables import TableReference
from shared.storage.table_sources import TableSources


@dataclass(frozen=True)
class HashedTable:
    """What a table held at one moment."""

    content_hash: ContentHash
    row_count: int


def hash_table(sources: TableSources, table: TableReference) -> HashedTable:
    """Hash a table so that anyone can do the same with `psql`: see docs/messages.md.

    Raises what `TableSources.read` raises.
    """
    digest = hashlib.sha256()
    row_count = sources.read(table, digest.update)
    return HashedTable(content_hash_of(digest.digest()), row_count)

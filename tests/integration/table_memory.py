"""Hashes one table and prints its number of rows and the peak of resident bytes above idle.

A process of its own, as for blobs. Arguments: URL of the database, schema, table.
"""

import sys

from shared.models.tables import TableReference, TableSource
from shared.services.table_hashing import hash_table
from shared.storage.table_sources import TableSources
from tests.integration.hashing_memory import resident_bytes


def main() -> None:
    url, schema, name = sys.argv[1:]
    listed = TableSource.model_validate({"url": url, "tables": [f"{schema}.{name}"]})
    sources = TableSources({"source": listed})
    idle = resident_bytes("VmRSS")
    hashed = hash_table(sources, TableReference("source", schema, name))
    print(hashed.row_count, resident_bytes("VmHWM") - idle)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()

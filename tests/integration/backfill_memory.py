"""Registers what an inventory lists; prints the resident bytes at its tenth page, and at the end.

A process of its own, so that nothing else a test run holds is counted. Arguments: URL of a
database, connection string, container, inventory.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from shared.database.pool import Database
from shared.models.backfills import BackfillProgress
from shared.storage.inventory import PAGE_ROWS, InventoryFile
from tests.integration.backfilling import Told, backfilling_over
from tests.integration.hashing_memory import resident_bytes


class Weighing(Told):
    """Weighs the process when it has settled."""

    def progress(self, so_far: BackfillProgress) -> None:
        if so_far.counts.total() == 10 * PAGE_ROWS:
            print(resident_bytes("VmHWM"))  # noqa: T201 - its answer


def main() -> None:
    database_url, connection_string, container, path = sys.argv[1:]
    database = Database(database_url, size=8, timeout_seconds=60)
    made = backfilling_over(
        connection_string, container, database, lambda: datetime.now(UTC), is_new=False
    )
    listed = InventoryFile(Path(path), made.scope)
    made.run(listed, told=Weighing())
    database.close()
    print(resident_bytes("VmHWM"))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()

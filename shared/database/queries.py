"""Named SQL statements, kept in .sql files beside the module that runs them."""

from pathlib import Path

import aiosql


def load_queries(module_file: str) -> dict[str, bytes]:
    """The statements of the `.sql` file that stands beside a module, by name.

    Bytes, because psycopg takes text only where a type checker can see that it is a literal: SQL
    from a file is as fixed as a literal, while SQL put together at run time stays an error.
    """
    queries = aiosql.from_path(  # pyright: ignore[reportUnknownMemberType] - some defaults are untyped
        Path(module_file).with_suffix(".sql"), "psycopg"
    )
    # aiosql lists a twin beside each query of many rows, for cursors of its own.
    names = [name for name in queries.available_queries if not name.endswith("_cursor")]
    return {name: getattr(queries, name).sql.encode() for name in names}

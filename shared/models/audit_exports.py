"""Forms that events of the audit trail are exported in."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """How events are written."""

    JSON = "json"
    """One array."""
    JSONL = "jsonl"
    """A line each, as RFC 8785 writes it: its SHA-256 is the hash that a later one names."""
    CSV = "csv"
    """RFC 4180, in UTF-8; a text that a spreadsheet might run begins with an apostrophe."""
    PARQUET = "parquet"
    """Takes pyarrow, which is an extra."""

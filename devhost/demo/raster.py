"""The GeoTIFF that the demo uploads."""

from datetime import datetime
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "elevation.tif"
_DATE_TIME = b"2026:01:01 00:00:00"
"""Value of the tag `DateTime` in the file; TIFF 6.0 gives it exactly this form and length."""


def raster_processed_at(moment: datetime) -> bytes:
    """The raster as a pipeline would write it at `moment`, which counts in whole seconds."""
    return _FILE.read_bytes().replace(_DATE_TIME, moment.strftime("%Y:%m:%d %H:%M:%S").encode())

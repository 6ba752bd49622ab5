"""What all pictures have in common. Imported only to draw: an extra."""

# Much of matplotlib takes and gives what has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure


def save(figure: Figure, file: Path) -> None:
    """Draw into a file whose name says how. Raises OSError."""
    # Letters, not their outlines: they can be searched. No date: drawn again, it is equal.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "registry"}):
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})


def edges(first: date, last: date) -> Any:
    """Half a day further, where bars end; as an axis of dates takes it, whatever its types say."""
    half = timedelta(hours=12)
    return datetime.combine(first, time()) - half, datetime.combine(last, time()) + half


def tell_days(axes: Axes) -> None:
    """As few dates along the axis as tell all of them."""
    axes.xaxis_date()
    locator = AutoDateLocator(interval_multiples=True)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def tell_nothing(axes: Axes) -> None:
    """Where there is nothing to draw."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, "nothing", ha="center", transform=axes.transAxes)

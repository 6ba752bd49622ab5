"""A picture of how much is registered of what. Imported only to draw: an extra."""

# Much of matplotlib takes and gives what has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator
from pydantic import ValidationError

from cli.exchange import JsonObject, NoRegistry
from cli.plotting import edges, save, tell_days, tell_nothing
from cli.printable import printable
from shared.models.figures import Breakdown, RegistryFigures

Bar = tuple[str, int, str]
"""A name, how long it is, and what stands behind it."""

_BROKEN_DOWN_BY = ("status", "stage", "type", "client", "backend", "tier", "container")
_BARS = 10
_LETTERS = 40
_INCHES = (12, 15)
_BYTES = EngFormatter(unit="B")
_COUNT = EngFormatter()


def save_picture(answer: JsonObject, file: Path, days: int) -> None:
    """Draw figures into a file whose name says how. Raises OSError, NoRegistry."""
    try:
        figures = RegistryFigures.model_validate(answer)
    except ValidationError:
        raise NoRegistry("the answer holds no figures") from None
    with warnings.catch_warnings():
        # Names may be in scripts that the font does not have: there it draws boxes.
        warnings.filterwarnings("ignore", message="Glyph")
        save(draw(figures, days), file)


def draw(figures: RegistryFigures, days: int) -> Figure:
    """What was registered on each of so many days, above what is registered and what failed."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    counts, sizes, *others = figure.subplots(5, 2).flat
    _by_day(counts, "Artifacts registered each day", figures, "artifact_count", days)
    _by_day(sizes, "Bytes registered each day", figures, "size_bytes", days)
    for axes, name in zip(others, _BROKEN_DOWN_BY, strict=False):
        _by_value(axes, f"Artifacts by {name}, and their bytes", getattr(figures, f"by_{name}"))
    failed = [(each.operation, each.errors, "") for each in figures.errors_by_operation]
    _bars(others[-1], f"Errors by operation: {figures.total_errors} in {days} days", failed)
    return figure


def _by_day(axes: Axes, title: str, figures: RegistryFigures, name: str, days: int) -> None:
    axes.set_title(title)
    amounts = {each.day: float(getattr(each, name)) for each in figures.days}
    if not any(amounts.values()):
        tell_nothing(axes)
        return
    axes.bar(list(amounts), list(amounts.values()), width=1.0)  # pyright: ignore[reportArgumentType]
    axes.yaxis.set_major_formatter(_BYTES if name == "size_bytes" else _COUNT)
    axes.set_xlim(*edges(figures.today - timedelta(days - 1), figures.today))
    tell_days(axes)


def _by_value(axes: Axes, title: str, breakdown: Breakdown) -> None:
    """The largest ones, and everything else as one."""
    shown, rest = breakdown.values[:_BARS], [*breakdown.values[_BARS:], breakdown.others]
    bars = [
        (each.value or "(none)", each.artifact_count, _BYTES(each.size_bytes)) for each in shown
    ]
    count = sum(each.artifact_count for each in rest)
    if count:
        bars.append(("(others)", count, _BYTES(sum(each.size_bytes for each in rest))))
    _bars(axes, title, bars)


def _bars(axes: Axes, title: str, bars: Sequence[Bar]) -> None:
    """The first on top. Names are strangers': nothing in them is a formula."""
    axes.set_title(title)
    shown = bars[: _BARS + 1]
    if not shown:
        tell_nothing(axes)
        return
    places = range(len(shown))
    drawn = axes.barh(places, [float(length) for _, length, _ in shown])
    axes.set_yticks(places, labels=[_short(name) for name, _, _ in shown], parse_math=False)
    axes.bar_label(drawn, labels=[behind for _, _, behind in shown], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(_COUNT)


def _short(name: str) -> str:
    """On one line; of long names the end, in which they differ."""
    told = printable(name)
    return told if len(told) <= _LETTERS else f"…{told[1 - _LETTERS :]}"

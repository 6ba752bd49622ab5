"""Pictures of what lies where, and of what policies will do. Imported only to draw: an extra."""

# Much of matplotlib takes and gives what has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from pydantic import TypeAdapter, ValidationError

from cli.exchange import JsonObject, NoRegistry
from cli.plotting import edges, save, tell_days, tell_nothing
from shared.models.axes import Status
from shared.models.byte_history import ByteDay
from shared.models.policy_forecasts import ForecastDay

Series = tuple[str, object, Mapping[date, int]]
"""A label, a colour, and how much on which day."""

_BYTE_DAYS = TypeAdapter(list[ByteDay])
_FORECAST_DAYS = TypeAdapter(list[ForecastDay])
_TIERS = {
    "Hot": "Reds",
    None: "Oranges",
    "Cool": "Blues",
    "Cold": "Purples",
    "Archive": "Greys",
    "other": "Greens",
}
"""A family of colours each; a status is a shade of it."""
_INCHES = (10, 8)


def save_picture(
    history: Iterable[JsonObject],
    forecast: Iterable[JsonObject],
    file: Path,
    today: date,
    days: int,
) -> None:
    """Draw both, so many days each, into a file whose name says how. Raises OSError, NoRegistry."""
    try:
        passed = _BYTE_DAYS.validate_python(list(history))
        to_come = _FORECAST_DAYS.validate_python(list(forecast))
    except ValidationError:
        raise NoRegistry("the answer holds no figures") from None
    save(draw(passed, to_come, today, timedelta(days)), file)


def draw(
    history: list[ByteDay], forecast: list[ForecastDay], today: date, span: timedelta
) -> Figure:
    """What lay where until today, above what policies will do from then on."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    above, below = figure.subplots(2)
    _stack(above, "Bytes by tier and status, each day", _lying(history))
    _stack(below, "Bytes that policies will free or move, each day", _acted_on(forecast))
    above.set_xlim(*edges(today - span + timedelta(1), today))  # today is one of them
    below.set_xlim(*edges(today, today + span))
    return figure


def _lying(history: list[ByteDay]) -> Iterator[Series]:
    statuses = list(Status)
    for tier, family in _TIERS.items():
        for place, status in enumerate(statuses):
            days = {
                each.day: each.bytes
                for each in history
                if each.storage_tier == tier and each.status is status
            }
            shade = 0.9 - 0.7 * place / len(statuses)
            yield f"{tier or 'no tier known'}, {status}", colormaps[family](shade), days


def _acted_on(forecast: list[ForecastDay]) -> Iterator[Series]:
    names = dict.fromkeys((each.policy, each.kind) for each in forecast)
    colours = colormaps["tab20"]
    for place, (policy, kind) in enumerate(names):
        days = Counter[date]()
        for each in forecast:
            if each.policy == policy:
                days[each.day] += each.bytes
        yield f"{policy} ({kind})", colours(place % colours.N), days


def _stack(axes: Axes, title: str, series: Iterable[Series]) -> None:
    axes.set_title(title)
    axes.yaxis.set_major_formatter(EngFormatter(unit="B"))
    below = Counter[date]()
    for label, colour, amounts in series:
        days = sorted(day for day, amount in amounts.items() if amount)
        if days:
            heights = [float(amounts[day]) for day in days]
            bottoms = [float(below[day]) for day in days]
            axes.bar(days, heights, width=1.0, bottom=bottoms, label=label, color=colour)  # pyright: ignore[reportArgumentType]
            below.update({day: amounts[day] for day in days})
    if below:
        tell_days(axes)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    else:
        tell_nothing(axes)

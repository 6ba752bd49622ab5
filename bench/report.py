"""What a run found: tables on the terminal, and kept beside the earlier runs' in RESULTS.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.ratio import Ratio

RESULTS = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True)
class Figures:
    """What is told without a target: a heading, column titles, and rows as text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def ratio_figures(title: str, ratios: Sequence[Ratio]) -> Figures:
    """Ratios beside their targets; a ratio that misses its target is marked as missed."""
    rows = [(r.name, f"{r.ratio:.2f}", _target(r), _verdict(r), r.details) for r in ratios]
    return Figures(title, ("ours / limit", "ratio", "target", "", "figures behind it"), rows)


def show(console: Console, figures: Figures) -> None:
    """Print as a table."""
    table = Table(title=figures.title, title_justify="left")
    for column in figures.columns:
        table.add_column(column)
    for row in figures.rows:
        table.add_row(*row, style="red" if "missed" in row else None)
    console.print(table)


def keep(figures: Sequence[Figures], load: float, now: datetime, path: Path = RESULTS) -> None:
    """Append a run to the results, with the machine and the date.

    `load` is the machine's load average just before: figures of a busy machine are worth less.
    """
    lines = [f"\n## {now:%Y-%m-%d %H:%M} UTC\n\n{machine()}, load {load:.1f} before the run.\n"]
    for part in figures:
        lines.append(
            f"\n### {part.title}\n\n{_row(part.columns)}{_row(['---'] * len(part.columns))}"
        )
        lines += [_row(row) for row in part.rows]
    with path.open("a", encoding="utf-8") as results:
        results.write("".join(lines))


def machine() -> str:
    """Processor, cores, memory, system and Python; nothing that names the machine."""
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().split("\n") if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def _target(ratio: Ratio) -> str:
    return "" if ratio.target is None else f"≥ {ratio.target:.2f}"


def _verdict(ratio: Ratio) -> str:
    if ratio.target is None:
        return ""
    return "met" if ratio.ratio >= ratio.target else "missed"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"

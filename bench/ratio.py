"""What a benchmark tells: a ratio of two things measured in the same run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Ours against a limit or a peer: 1 is as good, more is better."""

    name: str
    ratio: float
    target: float | None
    """The least that the ratio should be; None where it is only told."""
    details: str
    """The figures behind it, with units."""

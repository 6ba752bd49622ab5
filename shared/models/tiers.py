"""Access tiers of the blob store, written as Azure Storage writes them."""

from enum import StrEnum


class _Tier(StrEnum):
    def is_warmer_than(self, present: str | None) -> bool:
        """Whether bytes in that tier would be brought back; a tier of another name is warm."""
        return _coldness(self) < _coldness(present)


class ColderTier(_Tier):
    """Where archived bytes lie.

    `Archive` must be rehydrated, which takes hours, before the bytes can be read again.
    """

    COOL = "Cool"
    COLD = "Cold"
    ARCHIVE = "Archive"


class WarmerTier(_Tier):
    """Where archived bytes are brought back to: there they can be read."""

    HOT = "Hot"
    COOL = "Cool"
    COLD = "Cold"


class RehydratePriority(StrEnum):
    """How soon bytes come back from the tier Archive: within 15 hours, or within one."""

    STANDARD = "Standard"
    HIGH = "High"


def _coldness(tier: str | None) -> int:
    order = [str(tier) for tier in ColderTier]
    return 1 + order.index(tier) if tier in order else 0

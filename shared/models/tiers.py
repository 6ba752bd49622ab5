"""Access tiers of the blob store that are colder than the one in use."""

from enum import StrEnum


class ColderTier(StrEnum):
    """Where archived bytes lie, written as Azure Storage writes it.

    `Archive` must be rehydrated, which takes hours, before the bytes can be read again.
    """

    COOL = "Cool"
    COLD = "Cold"
    ARCHIVE = "Archive"

    def is_warmer_than(self, present: str | None) -> bool:
        """Whether bytes in that tier would be moved back; a tier of another name is warmer."""
        order = [str(tier) for tier in ColderTier]
        return present in order and order.index(self) < order.index(present)

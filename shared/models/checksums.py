"""Checksums as build servers write them: `<hex>`, or the algorithm before it, `sha256:<hex>`."""

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.models.content_hash import ContentHash, parse_content_hash


class ChecksumAlgorithm(StrEnum):
    """What a checksum was made with."""

    SHA256 = "sha256"
    SHA512 = "sha512"
    MD5 = "md5"


_DIGITS = {
    ChecksumAlgorithm.MD5: 32,
    ChecksumAlgorithm.SHA256: 64,
    ChecksumAlgorithm.SHA512: 128,
}
_BY_DIGITS = {digits: algorithm for algorithm, digits in _DIGITS.items()}
_FORM = re.compile(r"(?:([A-Za-z0-9]+):)?([0-9a-fA-F]+)")


@dataclass(frozen=True)
class Checksum:
    """What a sender said of bytes, as it was said, and what it means."""

    text: str
    algorithm: ChecksumAlgorithm
    digits: str
    """Lowercase hex, without the algorithm."""

    @property
    def content_hash(self) -> ContentHash | None:
        """The registry's own form; None where the algorithm is another."""
        if self.algorithm is not ChecksumAlgorithm.SHA256:
            return None
        return parse_content_hash(self.digits)


def parse_checksum(text: str, algorithm: ChecksumAlgorithm | None = None) -> Checksum:
    """Read a checksum; without `algorithm` or a prefix, its length tells what it was made with.

    Raises ValueError for what is no checksum of the algorithm.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("a checksum is written in hex digits, alone or after 'sha256:'")
    named = _named(found[1]) if found[1] else None
    if named and algorithm and named is not algorithm:
        raise ValueError(f"the checksum says {named}, checksum_algorithm says {algorithm}")
    digits = found[2].lower()
    meant = algorithm or named or _BY_DIGITS.get(len(digits))
    if meant is None or len(digits) != _DIGITS[meant]:
        told = ", ".join(f"{known} has {count}" for known, count in _DIGITS.items())
        raise ValueError(f"{len(digits)} hex digits are not a checksum of {meant or 'any'}: {told}")
    return Checksum(text, meant, digits)


def _named(text: str) -> ChecksumAlgorithm:
    try:
        return ChecksumAlgorithm(text.lower())
    except ValueError:
        known = ", ".join(ChecksumAlgorithm)
        raise ValueError(f"the algorithm {text} is none of {known}") from None

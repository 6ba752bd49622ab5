"""The root of a Merkle tree, as RFC 9162, section 2.1 has it, of a list of any length.

Entries are read once and in order; what is kept meanwhile is one hash a level of the tree.
https://www.rfc-editor.org/rfc/rfc9162.html#section-2.1
"""

from hashlib import sha256

_LEAF = b"\x00"
_NODE = b"\x01"


class MerkleTree:
    """Whole subtrees of what was added so far: each is larger than those after it together."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, entry: bytes) -> None:
        """Put an entry behind the others."""
        size, node = 1, sha256(_LEAF + entry).digest()
        while self._peaks and self._peaks[-1][0] == size:
            node = _above(self._peaks.pop()[1], node)
            size *= 2
        self._peaks.append((size, node))

    @property
    def root(self) -> bytes:
        """Of all entries so far, 32 bytes."""
        if not self._peaks:
            return sha256(b"").digest()
        (_, node), *larger = reversed(self._peaks)
        for _, left in larger:
            node = _above(left, node)
        return node


def _above(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()

"""Seals: what a day of the audit trail was, signed, and kept where the trail is not."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Self

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict

from shared.models.audit import NO_HASH

_SEED_BYTES = 32
_PURPOSE = b"registry audit seals"
"""What else the pepper may be used for gives other keys (RFC 5869, section 3.2)."""


class ShardEnd(NamedTuple):
    """The last event of a shard so far: 0, and zeros, where it has none."""

    number: int
    hash: bytes


NO_END = ShardEnd(0, NO_HASH)
ShardEnds = Mapping[int, ShardEnd]
"""By shard; those alone that have events."""


@dataclass(frozen=True)
class DayClaims:
    """What a seal says of a day."""

    day: date
    first_number: int
    last_number: int
    root: bytes
    """Merkle root of the hashes of the day's events, in the order of their numbers."""
    ends: ShardEnds
    """As they are when the day is over."""


class SealedEnd(BaseModel):
    """A shard's end, as a seal tells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard: int
    number: int
    hash: str


class DaySeal(BaseModel):
    """The signed root of one day. Its text is RFC 8785's, and so is what is signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    first_number: int
    last_number: int
    events: int
    root: str
    shard_ends: tuple[SealedEnd, ...]
    previous_seal: str
    """SHA-256 of the text of the seal before this one; zeros for the first."""
    key_id: str
    """The Ed25519 public key itself, in hex: it is as short as any name for it."""
    signature: str = ""
    """Of the seal without its signature, in hex (RFC 8032)."""

    @classmethod
    def read(cls, text: str | bytes) -> Self:
        """Raises ValueError where this is no seal, or not written as seals are."""
        seal = cls.model_validate_json(text)
        if seal.text != (text if isinstance(text, str) else text.decode()):
            raise ValueError("a seal is written in the form of RFC 8785")
        return seal

    @property
    def text(self) -> str:
        """The whole seal, as it is kept."""
        return rfc8785.dumps(self.model_dump(mode="json")).decode()

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        return rfc8785.dumps(self.model_dump(mode="json", exclude={"signature"}))

    @property
    def ends(self) -> dict[int, ShardEnd]:
        """Raises ValueError where a hash is none."""
        return {
            each.shard: ShardEnd(each.number, bytes.fromhex(each.hash)) for each in self.shard_ends
        }

    def tells(self, claims: DayClaims, previous: str) -> bool:
        """Whether it says this, whoever signed it."""
        own = self.model_copy(update={"key_id": "", "signature": ""})
        return own == _unsigned(claims, previous, key_id="")


def seal_hash(text: str | None) -> str:
    """How the next seal names one; zeros where there is none before it."""
    return hashlib.sha256(text.encode()).hexdigest() if text else NO_HASH.hex()


def seal_path(day: date) -> str:
    """Where a day's seal is, in its container: names are in the order of days."""
    return f"{day:%Y/%m/%Y-%m-%d}.json"


@dataclass(frozen=True)
class SealKeys:
    """The key that seals are signed with, and all that are believed."""

    own: Ed25519PrivateKey = field(repr=False)
    believed: frozenset[str]
    """Public keys in hex: our own, and those that we had before."""

    @classmethod
    def of(cls, seed: str, pepper: str, earlier: Iterable[str] = ()) -> Self:
        """Of a seed in Base64; where that is empty, of the pepper. Raises ValueError."""
        own = Ed25519PrivateKey.from_private_bytes(seed_of(seed) if seed else _derived(pepper))
        return cls(own, frozenset({_name_of(own.public_key()), *earlier}))

    @property
    def key_id(self) -> str:
        """Our own public key, in hex: what others need to check seals."""
        return _name_of(self.own.public_key())

    def seal(self, claims: DayClaims, previous: str) -> DaySeal:
        """The same for the same claims, always: Ed25519 signs without chance."""
        unsigned = _unsigned(claims, previous, self.key_id)
        signature = self.own.sign(unsigned.signed).hex()
        return unsigned.model_copy(update={"signature": signature})

    def confirm(self, seal: DaySeal) -> bool:
        """Whether a key that is believed signed it."""
        if seal.key_id not in self.believed:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal.key_id))
            key.verify(bytes.fromhex(seal.signature), seal.signed)
        except (InvalidSignature, ValueError):
            return False
        return True


def _unsigned(claims: DayClaims, previous: str, key_id: str) -> DaySeal:
    ends = sorted(claims.ends.items())
    told: dict[str, Any] = {
        "day": claims.day,
        "first_number": claims.first_number,
        "last_number": claims.last_number,
        "events": claims.last_number - claims.first_number + 1,
        "root": claims.root.hex(),
        "shard_ends": tuple(
            SealedEnd(shard=shard, number=end.number, hash=end.hash.hex()) for shard, end in ends
        ),
        "previous_seal": previous,
        "key_id": key_id,
    }
    return DaySeal(**told)


def seed_of(text: str) -> bytes:
    """The seed of a key, written in Base64. Raises ValueError, which does not show it."""
    try:
        seed = base64.b64decode(text, validate=True)
    except ValueError:
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise ValueError("the key of seals is 32 bytes in Base64")
    return seed


def _derived(pepper: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=_SEED_BYTES, salt=None, info=_PURPOSE)
    return derivation.derive(pepper.encode())


def _name_of(key: Ed25519PublicKey) -> str:
    return key.public_bytes_raw().hex()

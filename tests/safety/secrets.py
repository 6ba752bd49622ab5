"""Texts that open something, as senders write them, and a way to find what they open it with."""

from base64 import b64encode
from collections.abc import Iterator

SECRET = "Qk9d7ZrT4mX2vB8nL5wP1cY6hJ3fG0sK"
"""Stands in for every signature, key and token: found anywhere, it leaked."""

TEXTS = (
    f"https://a.blob.core.windows.net/c/b.tif?sv=2024-11-04&sp=r&sig={SECRET}%3D&se=2030",
    f"?sig={SECRET}",
    f"https://f.azurewebsites.net/api/x?code={SECRET}==",
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET}==;EndpointSuffix=x",
    f"AccountKey={SECRET}",
    f"Bearer {SECRET}",
    f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.{SECRET}",
    f"ark_{SECRET}{SECRET[:11]}",
    f"https://me:{SECRET}@host/x",
    f"https://x/go?to=https%3A%2F%2Fy%2Fb%3Fsv%3D1%26sig%3D{SECRET}",
    f"sv=2024-11-04&sp=r&sig={SECRET}",
    f"x-functions-key: {SECRET}",
)


def forms() -> Iterator[bytes]:
    """The secret as it would stand in a dump or a log: plain, in hexadecimal, in base64."""
    plain = SECRET.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):
        # Base64 of its middle, whatever stands before it.
        yield b64encode(bytes(shift) + plain)[4:-4]


def is_in(text: bytes) -> bool:
    return any(form in text for form in forms())

"""Request paths as Kestrel, the real host's web server, hands them on."""

import re
from urllib.parse import quote, unquote_to_bytes

_ENCODED_SLASH = re.compile(rb"(%2F)", re.IGNORECASE)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNQUOTED = "/!$&'()*+,;=:@%"


def decode_path(raw: bytes) -> str:
    """The path decoded once; `%2F` stays, and so does what is not UTF-8.

    `.` and `..` are resolved after decoding. Raises `ValueError` for a NUL.
    """
    path = "".join(_decode(part) for part in _ENCODED_SLASH.split(raw))
    if "\0" in path:
        raise ValueError("a path must not contain NUL")
    return _without_dots(path)


def encode_path(path: str) -> str:
    """A decoded path as it stands in the URL that the function sees.

    What looks encoded is left as it is, so `%2520` in a request reaches the function as `%20`.
    """
    return _LONE_PERCENT.sub("%25", quote(path, safe=_UNQUOTED))


def _decode(part: bytes) -> str:
    if _ENCODED_SLASH.fullmatch(part):
        return part.decode()
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        return part.decode("ascii", "replace")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            kept = kept[:-1] or kept  # the root has no parent
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)

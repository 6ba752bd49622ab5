"""Signed addresses and keys in text: what opens something is cut out before anything is kept.

Everything here takes time in proportion to the text, whatever is in it: a text may be hostile, and
as long as a body.
"""

import re

_AND = r"(?:&(?:amp;)?|%(?:25)*26|\\u0026|;)"
_EQUALS = r"(?:=|%(?:25)*3d|\\u003d)"
_QUERY = r"(?:\?|%(?:25)*3f|#)"
_NAMES = (
    "sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature"
    "|access_token|id_token|refresh_token|token|password|client_secret"
    "|api[_-]?key|x-api-key|subscription-key|x-functions-key"
)
# Addresses end at white space and quotation marks; within JSON that is text they have escapes.
_ADDRESS = re.compile(r"(?:[^\s\"'<>\\]|\\u00(?:26|3d))+", re.IGNORECASE)
_START_OF_QUERY = re.compile(_QUERY, re.IGNORECASE)
# `code` is a function key only where it is long: `?code=4326` is not.
_SECRET_PARAMETER = re.compile(
    rf"(?:^|{_QUERY}|{_AND})(?:(?:{_NAMES}){_EQUALS}|code{_EQUALS}[^&]{{20}})", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    rf"((?:^|{_AND})(?:sig|signature){_EQUALS})[^&;]{{8,}}", re.IGNORECASE
)  # of a shared access signature that stands alone
_HINT = re.compile(r"[=@]|%(?:25)*3|ark_|eyJ|bearer|-key|\\u003d", re.IGNORECASE)

_STRUCK = (
    (re.compile(r"\b(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)=[^;\s\"'<>\\]+",
                re.IGNORECASE), r"\1=REDACTED"),
    (re.compile(r"\b((?:x-api|x-functions|subscription)-key)(\s?[:=]\s?)[^\s,;\"'<>\\]{8,}",
                re.IGNORECASE), r"\1\2REDACTED"),
    (re.compile(r"\b(bearer)\s(?=[^\s\d]{0,200}\d)[\w.~+/=-]{20,}", re.IGNORECASE), r"\1 REDACTED"),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", re.ASCII), "REDACTED"),
    (re.compile(r"ark_[A-Za-z0-9_-]{43}"), "ark_REDACTED"),
    # A JSON pointer writes a slash as `~1`.
    (re.compile(r":(//|~1~1)[^/\s@\"'<>\\:]*:[^/\s@\"'<>\\]+@"), r":\1"),
)  # fmt: skip


def without_signatures(text: str) -> str:
    """The text with no signed query (Azure SAS and the like), and without keys as below.

    A signed address keeps everything before its query.
    """
    if not _HINT.search(text):
        return text
    return without_keys(_ADDRESS.sub(lambda found: _unsigned(found[0]), text))


def without_keys(text: str) -> str:
    """The text without what opens something by itself.

    That is keys of connection strings and of headers, bearer tokens and JSON web tokens, API keys
    of this registry, and the user and password of an address.
    """
    if not _HINT.search(text):
        return text
    for key, replacement in _STRUCK:
        text = key.sub(replacement, text)
    return text


def _unsigned(address: str) -> str:
    parameter = _SECRET_PARAMETER.search(address)
    if parameter is None:
        return address
    query = _START_OF_QUERY.search(address)
    if query is None or query.start() > parameter.start():
        return _SECRET_VALUE.sub(r"\1REDACTED", address)
    return address[: query.start()]

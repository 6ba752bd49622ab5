"""Signed addresses and keys in text: what opens something is cut out before anything is kept."""

import re

_NAMES = "sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature"
# A query, plain or percent-encoded as part of another one, up to where an address in text ends.
_SIGNED_QUERY = re.compile(
    rf"(?:\?|%3f)(?:[^\s\"'<>\\]*?(?:&|%26))?(?:{_NAMES})(?:=|%3d)[^\s\"'<>\\]*", re.IGNORECASE
)
_KEY = re.compile(
    r"\b(AccountKey|SharedAccessKey|SharedAccessSignature)=[^;\s\"'<>\\]+", re.IGNORECASE
)


def without_signatures(text: str) -> str:
    """The text with no signed query (Azure SAS and the like) and no key of a connection string.

    A signed address keeps everything before its query.
    """
    if "=" not in text and "%3" not in text:
        return text
    return _KEY.sub(r"\1=REDACTED", _SIGNED_QUERY.sub("", text))

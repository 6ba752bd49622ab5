"""JSON pointers (RFC 6901): how an error names the value that is at fault."""


def json_pointer(*parts: object) -> str:
    """The pointer through these members and positions."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)

"""Two hundred texts that would do harm in a statement put together from strings.

Each is a way out of where text may stand in SQL, then something that would show, then a way to make
the rest of the statement harmless.
"""

from itertools import product

WAYS_OUT = (
    "'",
    '"',
    "\\'",
    "')",
    "'))",
    "1",
    "$$",
    "%27",
    "\u2019",
    "'::text",
    "}'",
    "x'\n",
    "*/",
    "',(",
)
DEEDS = (
    "; DROP TABLE registry.assets",
    "; DELETE FROM registry.outbox",
    "; TRUNCATE registry.artifacts CASCADE",
    " OR 1=1",
    " OR ''='",
    " UNION SELECT version()",
    "; SELECT pg_sleep(60)",
    "||(SELECT 1/0)||'",
    "; CREATE TABLE own(a int)",
    "; COPY own FROM PROGRAM 'id'",
    "; SET ROLE postgres",
    "; UPDATE registry.api_keys SET revoked_at=null",
    " ORDER BY 99",
    " RETURNING *",
)
_ENDINGS = (" --", ";", " /*", "")

LEFT_TO_DRIVERS = ("%s", "%(artifact_id)s", ":artifact_id", "{0}", "$1", "\\")
"""What drivers and templates fill in."""

INJECTIONS: tuple[str, ...] = (
    *(
        f"{way_out}{deed}{_ENDINGS[place % len(_ENDINGS)]}"
        for place, (way_out, deed) in enumerate(product(WAYS_OUT, DEEDS))
        if place < 194
    ),
    *LEFT_TO_DRIVERS,
)

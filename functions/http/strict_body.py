"""Request bodies: JSON with one meaning only, and said to be JSON."""

from typing import Any

from fastapi import HTTPException, Request

from functions.http.strict_json import parse_strict_json

_UNSUPPORTED = 415


class StrictRequest(Request):
    """A request whose JSON was read by our rules before the framework asks for it."""

    async def read(self) -> None:
        """Read the body into `state.body`; a route says itself what it misses in an absent one.

        Raises InvalidInput where it is not strict JSON, and answers 415 where it is not said to be.
        """
        body = await self.body()
        if not body:
            return
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise HTTPException(_UNSUPPORTED)
        self.state.body = parse_strict_json(body)

    async def json(self) -> Any:
        return self.state.body

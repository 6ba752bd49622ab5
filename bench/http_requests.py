"""The requests of the HTTP benchmark: made beforehand, each for one route."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import quote, urlencode

from bench.http_data import FilledRegistry
from bench.http_load import request_bytes
from bench.http_worker import EMPTY_PATH

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Route:
    """One kind of request: the next one at each call of `make`."""

    name: str
    make: Callable[[], bytes]
    status: int = 200
    target: float | None = None
    """The least that its requests/s should be, of those of the empty route."""


def empty_route(name: str, headers: Headers) -> Route:
    """Of an application that does nothing."""
    request = request_bytes("GET", EMPTY_PATH, headers)
    return Route(name, lambda: request)


def registry_routes(registry: FilledRegistry, headers: Headers) -> list[Route]:
    """Those of the registry, as its key sees them."""
    as_key = {**headers, "X-API-Key": registry.key}
    ids = cycle(registry.artifact_ids)
    histories = cycle(registry.histories)
    page = request_bytes("GET", "/api/v1/artifacts?limit=100", as_key)
    return [
        registration_route(as_key),
        Route("get by id", lambda: _get(f"/api/v1/artifacts/{next(ids)}", as_key), target=0.5),
        Route("history of 10", lambda: _get(_history_path(next(histories)), as_key)),
        Route("list page of 100", lambda: page),
    ]


def registration_route(as_key: Headers) -> Route:
    """A new asset at each request."""

    def make() -> bytes:
        return request_bytes("POST", "/api/v1/artifacts", as_key, registration_body())

    return Route("register", make, 201, 0.35)


def _get(path: str, headers: Headers) -> bytes:
    return request_bytes("GET", path, headers)


def _history_path(refs: Mapping[str, str]) -> str:
    return f"/api/admin/artifacts/history?{urlencode({'client_type': 'bench', **refs})}"


def registration_body() -> bytes:
    """What a pipeline says of a raster: a new asset, and bytes that no other has."""
    dataset, sha256 = secrets.token_hex(16), secrets.token_hex(32)
    path = f"{dataset}/part-1.tif"
    return json.dumps(
        {
            "client_type": "bench",
            "client_refs": {"dataset_id": dataset, "resource_id": "part-1"},
            "storage_backend": "azure_blob",
            "storage_account": "account",
            "container": "uploads",
            "blob_path": path,
            "blob_etag": sha256[:17],
            "uri": f"https://account.blob.core.windows.net/uploads/{quote(path)}",
            "storage_tier": "Hot",
            "content_hash": sha256,
            "size_bytes": 123_456,
            "content_type": "image/tiff",
            "artifact_type": "raster",
            "metadata": {"crs": "EPSG:4326", "bands": 3},
        }
    ).encode()

"""How many artifacts policies act on in a second, beside plain calls to the same store."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID

from azure.storage.blob import BlobServiceClient, ContainerClient

from bench.ratio import Ratio
from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.ids import new_id
from shared.models.policies import Policy
from shared.models.policy_runs import Selection
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.repositories.policy_runs import PolicyRunRepository
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.policies import PolicyService
from shared.services.policy_actions import PolicyActions
from shared.services.retirement import RetirementService
from shared.services.rules import RuleService
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore

Each = TypeVar("Each")

THREADS = 8
COOL_NOW = Policy.model_validate(
    {
        "name": "cool-now",
        "kind": "archive",
        "target_tier": "Cool",
        "clock": "superseded",
        "age": "PT0S",
        "selector": {"client_type": "store"},
    }
)


def acting(database_url: str, blobs: int) -> list[Ratio]:
    """Archive blobs by policy, by the four calls that it makes, and by the one that it is for."""
    database = Database(database_url, size=THREADS, timeout_seconds=60)
    with TemporaryDirectory(prefix="registry-bench-") as directory:
        azurite = Azurite(Path(directory) / "azurite")
        azurite.start()
        try:
            with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
                container = service.get_container_client("acting")
                container.create_container()
                return _rates(database, azurite.connection_string, container, blobs)
        finally:
            azurite.stop()
            database.close()


def _rates(
    database: Database, connection_string: str, container: ContainerClient, blobs: int
) -> list[Ratio]:
    names = {way: [f"{way}-{n}" for n in range(blobs)] for way in ("ours", "same", "plain")}
    for each in names.values():
        _upload(container, each)
    ours = _by_policy(database, connection_string, container, names["ours"])
    same = _rate(lambda name: _leased(container, name), names["same"])
    plain = _rate(lambda name: _plain(container, name), names["plain"])
    told = f"{ours:,.0f}/s; {same:,.0f}/s; {plain:,.0f}/s"
    return [
        Ratio(
            f"archived by policy / look, lease, tier, release, {THREADS} threads",
            ours / same,
            None,
            told,
        ),
        Ratio("archived by policy / set tier alone", ours / plain, None, told),
    ]


def _upload(container: ContainerClient, names: Sequence[str]) -> None:
    def upload(name: str) -> None:
        container.upload_blob(name, b"bytes")

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(upload, names))


def _by_policy(
    database: Database, connection_string: str, container: ContainerClient, names: Sequence[str]
) -> float:
    store = BlobStore(connection_string)
    artifacts = ArtifactService(database, _now)
    for name in names:
        _register(artifacts, container, store.account, name)
    PolicyService(database, _now).put(COOL_NOW, UNATTRIBUTED)
    retirement = RetirementService(database, store, _now)
    set_aside = SetAsideService(database, _now)
    rules = RuleService(database, _now)
    ingestion = IngestionService(database, artifacts, set_aside, store, rules)
    actions = PolicyActions(database, retirement, ingestion, set_aside, _now)
    claimed = _claim(database, len(names))
    rate = _rate(actions.act, claimed)
    cooled = sum(blob.blob_tier == "Cool" for blob in container.list_blobs("ours-"))
    assert cooled == len(names), cooled
    return rate


def _register(
    artifacts: ArtifactService, container: ContainerClient, account: str, name: str
) -> None:
    etag = str(container.get_blob_client(name).get_blob_properties().etag).strip('"')
    common: dict[str, Any] = {
        "client_type": "store",
        "client_refs": {"name": name},
        "overwrite": True,
    }
    artifacts.create_artifact(
        **common,
        storage_account=account,
        container=container.container_name,
        blob_path=name,
        blob_etag=etag,
        size_bytes=5,
    )
    artifacts.create_artifact(**common)


def _claim(database: Database, count: int) -> list[UUID]:
    with database.connection() as connection, connection.transaction():
        runs = PolicyRunRepository(connection)
        run = runs.begin(new_id(), COOL_NOW, Origin("bench"), _now(), is_scheduled=True)
    selection = Selection(run.run_id, COOL_NOW.as_json(), is_selecting=True)
    claimed: list[UUID] = []
    while len(claimed) < count:
        with database.connection() as connection, connection.transaction():
            runs = PolicyRunRepository(connection)
            later = _now() + timedelta(hours=1)
            claimed += runs.claim_due(selection, 1000, _now(), later).artifact_ids
    return claimed


def _leased(container: ContainerClient, name: str) -> None:
    blob = container.get_blob_client(name)
    blob.get_blob_properties()
    lease = blob.acquire_lease(15)
    blob.set_standard_blob_tier("Cool", lease=lease)
    lease.release()


def _plain(container: ContainerClient, name: str) -> None:
    container.get_blob_client(name).set_standard_blob_tier("Cool")


def _rate(do: Callable[[Each], object], each: Sequence[Each]) -> float:
    began = perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(do, each))
    return len(each) / (perf_counter() - began)


def _now() -> datetime:
    return datetime.now(UTC)

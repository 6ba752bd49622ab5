"""PostgreSQL goes away behind PgBouncer and comes back, while the registry works."""

from threading import Event

from shared.bootstrap import Registry
from shared.errors import DatabaseUnavailable
from tests.databases import connected
from tests.deployment import Deployment
from tests.end_to_end.waiting import wait_for
from tests.faults.registered import assert_whole
from tests.pgbouncer.clients import ORIGIN, Clients, Message, message

THREADS = 20
ENOUGH = 2 * THREADS
ASSETS = 3
CLIENT = "restarting"


class Deliveries:
    """Clients register one message after the other; what fails is delivered again until it is."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.failures = 0
        self.stopping = Event()

    def take(self, registry: Registry, number: int) -> None:
        while not self.stopping.is_set():
            told = message(CLIENT, number, ASSETS)
            while not self._is_taken(registry, told):
                self.stopping.wait(0.2)
            self.taken.append(told)

    def wait_for_more(self) -> None:
        before = len(self.taken)
        wait_for("registrations", lambda: len(self.taken) >= before + ENOUGH)

    def _is_taken(self, registry: Registry, told: Message) -> bool:
        try:
            registry.artifacts.register(told.registration, ORIGIN, artifact_id=told.artifact_id)
        except DatabaseUnavailable:
            self.failures += 1
            return False
        return True


def test_postgresql_restarted_behind_pgbouncer_loses_and_doubles_nothing(
    deployment: Deployment, pooled_url: str
) -> None:
    """What its clients see is that there is no database for a while, and then that there is."""
    deliveries = Deliveries()
    with Clients(pooled_url, threads=THREADS) as clients:

        def restart() -> None:
            try:
                deliveries.wait_for_more()
                deployment.server.stop()
                wait_for("failures", lambda: deliveries.failures)
                assert clients.registry.health.check() == {"database": False}
                deployment.server.start()
                deliveries.wait_for_more()
                assert clients.registry.health.check() == {"database": True}
            finally:
                deliveries.stopping.set()

        clients.run(deliveries.take, beside=restart)
    taken = [told.artifact_id for told in deliveries.taken]
    with connected(deployment.server.url("registry")) as sql:
        assert_whole(sql)
        counted = sql.execute(_REGISTERED, {"client": CLIENT, "taken": taken}).fetchone()
    assert counted == {"taken": len(taken), "all": len(taken)}


_REGISTERED = """
SELECT count(*) FILTER (WHERE artifact_id = ANY (%(taken)s)) AS taken, count(*) AS all
FROM registry.artifact_records WHERE client_type = %(client)s
"""

"""The issuer's keys: looked for seldom, remembered well, believed no longer than they should be."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from shared.errors import IssuerUnavailable
from shared.services.signing_keys import SigningKeys
from shared.storage.issuer import Issuer
from tests.integration.token_issuer import TokenIssuer, private_key, published, running_issuer

MINUTE, HOUR = 60.0, 3600.0


class Stopwatch:
    """Seconds, which pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def keys(issuer: TokenIssuer, stopwatch: Stopwatch) -> SigningKeys:
    return SigningKeys(Issuer(issuer.keys_url).read_keys, stopwatch)


def test_keys_are_read_once_for_many_tokens(keys: SigningKeys, issuer: TokenIssuer) -> None:
    assert issuer.requests == 0
    assert all(keys.find("first") for _ in range(100))
    assert issuer.requests == 1


def test_a_key_as_entra_publishes_it_does_not_name_its_algorithm(
    keys: SigningKeys, issuer: TokenIssuer
) -> None:
    key = published("first", x5t="first", x5c=["MII"], issuer="https://login.example")
    del key["alg"]
    issuer.document = json.dumps({"keys": [key]}).encode()
    assert keys.find("first")


def test_unknown_key_ids_in_masses_are_looked_up_once_a_minute(
    keys: SigningKeys, issuer: TokenIssuer, stopwatch: Stopwatch
) -> None:
    for minute in range(1, 4):
        assert not any(keys.find(f"made up {number}") for number in range(200))
        assert issuer.requests == minute
        stopwatch.seconds += MINUTE - 1
        assert keys.find("made up") is None
        assert issuer.requests == minute
        stopwatch.seconds += 1


def test_keys_roll_over_without_a_restart(
    keys: SigningKeys, issuer: TokenIssuer, stopwatch: Stopwatch
) -> None:
    assert keys.find("first")
    issuer.publish("first", "second")
    stopwatch.seconds += MINUTE
    assert keys.find("second")
    assert keys.find("first")
    assert issuer.requests == 2


def test_a_key_that_was_withdrawn_is_believed_for_an_hour_at_most(
    keys: SigningKeys, issuer: TokenIssuer, stopwatch: Stopwatch
) -> None:
    assert keys.find("first")
    issuer.publish("second")
    stopwatch.seconds += HOUR - 1
    assert keys.find("first")
    stopwatch.seconds += 1
    assert keys.find("first") is None
    assert keys.find("second")


def not_json(issuer: TokenIssuer) -> None:
    issuer.document = b"<html>sign in</html>"


def no_object(issuer: TokenIssuer) -> None:
    issuer.document = b"[]"


def no_keys(issuer: TokenIssuer) -> None:
    issuer.document = b'{"keys": []}'


def keys_of_another_form(issuer: TokenIssuer) -> None:
    issuer.document = b'{"keys": "first"}'


def too_deep(issuer: TokenIssuer) -> None:
    issuer.document = b"[" * 100_000


def failing(issuer: TokenIssuer) -> None:
    issuer.status = 500


def redirecting(issuer: TokenIssuer) -> None:
    issuer.status = 302
    issuer.headers["Location"] = issuer.keys_url


def endless(issuer: TokenIssuer) -> None:
    issuer.document += b" " * 600_000


def unusable(issuer: TokenIssuer) -> None:
    """Keys for other ends, and secrets that were published by mistake."""
    first = published("first")
    listed: list[Any] = [
        published("first", use="enc"),
        published("first", alg="RS512"),
        {name: value for name, value in first.items() if name != "kid"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first", "alg": "HS256"},
        {"kty": "RSA", "kid": "first"},
        RSAAlgorithm.to_jwk(private_key("first"), as_dict=True) | {"kid": "first"},
        "first",
    ]
    issuer.document = json.dumps({"keys": listed}).encode()


FAULTS = [
    not_json,
    no_object,
    no_keys,
    keys_of_another_form,
    too_deep,
    failing,
    redirecting,
    endless,
    unusable,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_without_any_key_the_issuer_is_unavailable_and_asked_again_soon(
    keys: SigningKeys,
    issuer: TokenIssuer,
    stopwatch: Stopwatch,
    fault: Callable[[TokenIssuer], None],
) -> None:
    fault(issuer)
    for _ in range(50):
        with pytest.raises(IssuerUnavailable):
            keys.find("first")
    assert issuer.requests == 1
    issuer.status = 200
    issuer.publish("first")
    stopwatch.seconds += 5
    assert keys.find("first")


@pytest.mark.parametrize("fault", FAULTS)
def test_known_keys_stay_good_while_the_issuer_is_out_of_order(
    keys: SigningKeys,
    issuer: TokenIssuer,
    stopwatch: Stopwatch,
    fault: Callable[[TokenIssuer], None],
) -> None:
    assert keys.find("first")
    fault(issuer)
    stopwatch.seconds += 2 * HOUR
    assert all(keys.find("first") for _ in range(50))
    assert keys.find("second") is None
    assert issuer.requests == 2
    issuer.status = 200
    issuer.publish("second")
    stopwatch.seconds += MINUTE
    assert keys.find("second")
    assert keys.find("first") is None


def test_known_keys_stay_good_when_nobody_listens(
    issuer: TokenIssuer, stopwatch: Stopwatch
) -> None:
    with running_issuer() as gone:
        keys = SigningKeys(Issuer(gone.keys_url).read_keys, stopwatch)
        assert keys.find("first")
    stopwatch.seconds += 2 * HOUR
    assert keys.find("first")
    never_there = SigningKeys(Issuer(gone.keys_url).read_keys, stopwatch)
    with pytest.raises(IssuerUnavailable):
        never_there.find("first")


def test_tokens_that_come_together_ask_once(keys: SigningKeys, issuer: TokenIssuer) -> None:
    together = Barrier(16)

    def find(_: int) -> bool:
        together.wait()
        return keys.find("first") is not None

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(find, range(16)))
    assert issuer.requests == 1


def test_while_one_thread_looks_again_others_use_what_is_known(
    issuer: TokenIssuer, stopwatch: Stopwatch
) -> None:
    looking, answer = Event(), Event()
    answer.set()

    def slowly() -> bytes:
        looking.set()
        assert answer.wait(30)
        return issuer.document

    keys = SigningKeys(slowly, stopwatch)
    assert keys.find("first")
    looking.clear()
    answer.clear()
    stopwatch.seconds += HOUR
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(keys.find, "first")
        try:
            assert looking.wait(30)
            assert keys.find("first")
        finally:
            answer.set()
        assert slow.result(30)

"""Bearer tokens: which are believed, which are not, and what they allow."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from shared.errors import KeyRejected
from shared.models.api_keys import Scope
from shared.models.callers import Caller
from shared.services.signing_keys import SigningKeys
from shared.services.tokens import TokenService
from shared.storage.issuer import Issuer
from tests.integration.token_issuer import (
    AUDIENCE,
    ISSUER,
    OBJECT_ID,
    TokenIssuer,
    claims,
    private_key,
    published,
    running_issuer,
    token,
)

NOW = int(time.time())


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def tokens(issuer: TokenIssuer) -> TokenService:
    return TokenService(ISSUER, AUDIENCE, SigningKeys(Issuer(issuer.keys_url).read_keys))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def forged(header: dict[str, Any], secret: bytes | None = None, **others: Any) -> str:
    """A token made by hand, signed with HMAC-SHA256 or not at all."""
    parts = [encoded(json.dumps(part).encode()) for part in (header, claims(**others))]
    signed = ".".join(parts)
    signature = b"" if secret is None else hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{encoded(signature)}"


NO_ROLE: list[Any] = [
    "registry.read",
    "Registry.Read ",
    "read",
    "Other",
    7,
    None,
    ["Registry.Read"],
]
SCOPES_OF_ROLES: list[tuple[list[Any] | None, set[Scope]]] = [
    (["Registry.Read"], {Scope.READ}),
    (["Registry.Write"], {Scope.WRITE}),
    (["Registry.Admin"], {Scope.ADMIN}),
    (["Registry.Read", "Registry.Write", "Registry.Admin"], set(Scope)),
    (NO_ROLE, set()),
    ([], set()),
    (None, set()),
]


@pytest.mark.parametrize(("roles", "scopes"), SCOPES_OF_ROLES)
def test_a_good_token_is_its_subject_with_the_scopes_of_its_roles(
    tokens: TokenService, roles: list[Any] | None, scopes: set[Scope]
) -> None:
    caller = tokens.authenticate(token(roles=roles))
    assert caller == Caller(f"token:{OBJECT_ID}", frozenset(scopes))


def test_without_an_object_id_the_subject_is_the_actor(tokens: TokenService) -> None:
    assert tokens.authenticate(token(oid=None)).actor == "token:pairwise-subject"


@pytest.mark.parametrize(
    "others",
    [
        {"oid": None, "sub": None},
        {"oid": None, "sub": "somebody@example.com"},
        {"oid": None, "sub": "Some Body"},
        {"oid": "", "sub": "good"},
        {"oid": 7},
        {"oid": "a\nb"},
        {"oid": "x" * 201},
        {"oid": "\u00e9"},
        {"sub": 7},
        {"roles": "Registry.Read"},
        {"roles": {"Registry.Read": True}},
    ],
    ids=str,
)
def test_a_token_whose_owner_or_roles_cannot_be_told_is_rejected(
    tokens: TokenService, others: dict[str, Any]
) -> None:
    with pytest.raises(KeyRejected):
        tokens.authenticate(token(**others))


@pytest.mark.parametrize(
    "others",
    [
        {"iss": "https://login.example/another/v2.0"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"aud": "another"},
        {"aud": AUDIENCE.upper()},
        {"aud": [AUDIENCE, "another"]},
        {"aud": ""},
        {"exp": NOW - 3600},
        {"exp": NOW - 90},
        {"exp": "soon"},
        {"exp": [NOW + 600]},
        {"nbf": NOW + 3600},
        {"nbf": {}},
        {"iat": NOW + 3600},
        *({name: None} for name in ("iss", "aud", "exp", "nbf", "iat")),
    ],
    ids=lambda others: next(iter(others)),  # the same in every process, unlike the times
)
def test_a_token_for_another_place_or_time_is_rejected(
    tokens: TokenService, others: dict[str, Any]
) -> None:
    made = forged_issuer_list(others) if isinstance(others.get("iss"), list) else token(**others)
    with pytest.raises(KeyRejected):
        tokens.authenticate(made)


def forged_issuer_list(others: dict[str, Any]) -> str:
    """The library signs no such claims itself."""
    content = json.dumps(claims(**others)).encode()
    return jwt.PyJWS().encode(content, private_key("first"), "RS256", headers={"kid": "first"})


def test_clocks_may_differ_by_less_than_a_minute(tokens: TokenService) -> None:
    now = int(time.time())
    assert tokens.authenticate(token(exp=now - 20, nbf=now - 600))
    assert tokens.authenticate(token(nbf=now + 20, iat=now + 20))


def bad_tokens() -> dict[str, str]:
    good = token()
    header, payload, signature = good.split(".")
    more = encoded(json.dumps(claims(roles=["Registry.Admin"])).encode())
    other = jwt.encode(claims(), private_key("other"), "RS256", headers={"kid": "first"})
    public = private_key("first").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    hs256 = {"alg": "HS256", "kid": "first"}
    own = published("other")
    unsigned = forged({"alg": "none", "kid": "first"})
    return {
        "empty": "",
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.{signature}",
        "padded": f"{good}=",
        "a line more": f"{good}\n",
        "a space before": f" {good}",
        "no signature": f"{header}.{payload}.",
        "another's signature": f"{header}.{payload}.{other.split('.')[2]}",
        "another's claims": f"{header}.{more}.{signature}",
        "no JSON": f"{encoded(b'{')}.{payload}.{signature}",
        "no object": f"{encoded(b'[]')}.{payload}.{signature}",
        "nested": f"{encoded(b'[' * 3000)}.{payload}.{signature}",
        "too long": f"{header}.{'A' * 100_000}.{signature}",
        "not ASCII": f"{header}.{payload}.é",
        "surrogate": f"{header}.{payload}.\ud800",
        "NUL": f"{header}.{payload}.\x00",
        "signed by another key": other,
        "none": unsigned,
        "None": forged({"alg": "None", "kid": "first"}),
        "none with a signature": f"{unsigned.rpartition('.')[0]}.{signature}",
        "no algorithm": forged({"kid": "first"}, b"x"),
        "algorithms": forged({"alg": ["RS256"], "kid": "first"}, b"x"),
        "HS256 with the public key": forged(hs256, pem),
        "HS256 with the stripped public key": forged(hs256, pem.strip()),
        "HS256 with the public key in DER": forged(hs256, der),
        "HS256 called RS256": forged({"alg": "RS256", "kid": "first"}, pem),
        "RS512": token(algorithm="RS512"),
        "PS256": token(algorithm="PS256"),
        "unknown key": token("other"),
        "brings its key": token("other", headers={"jwk": own}),
        "brings its key by the known name": token("other", headers={"jwk": own, "kid": "first"}),
        "no key id": forged({"alg": "RS256"}, b"x"),
        "key id of another type": forged({"alg": "RS256", "kid": 1}, b"x"),
        "critical extension": token(headers={"crit": ["exp"], "exp": 1}),
        "an API key": "ark_" + "A" * 43,
    }


def test_what_the_issuer_did_not_sign_is_rejected(tokens: TokenService) -> None:
    assert tokens.authenticate(token())
    believed = [what for what, text in bad_tokens().items() if is_believed(tokens, text)]
    assert believed == []


def is_believed(tokens: TokenService, text: str) -> bool:
    try:
        tokens.authenticate(text)
    except KeyRejected:
        return False
    return True


def test_what_is_rejected_says_nothing_of_the_token(tokens: TokenService) -> None:
    with pytest.raises(KeyRejected) as rejected:
        tokens.authenticate(token(aud="another"))
    assert rejected.value.args == ()
    assert rejected.value.__suppress_context__


def test_what_could_never_be_good_does_not_reach_the_issuer(
    tokens: TokenService, issuer: TokenIssuer
) -> None:
    for text in (
        "a.b.c",
        forged({"alg": "none", "kid": "x"}, b"x"),
        forged({"alg": "HS256", "kid": "x"}, b"x"),
    ):
        assert not is_believed(tokens, text)
    assert issuer.requests == 0


def test_a_token_does_not_say_where_its_key_is(tokens: TokenService) -> None:
    with running_issuer() as hostile:
        hostile.publish("other")
        for member in ("jku", "x5u"):
            with pytest.raises(KeyRejected):
                tokens.authenticate(token("other", headers={member: hostile.keys_url}))
        assert hostile.requests == 0


def test_a_key_that_is_too_short_is_no_key(tokens: TokenService, issuer: TokenIssuer) -> None:
    short = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the fault tested
    public: dict[str, Any] = RSAAlgorithm.to_jwk(short.public_key(), as_dict=True)
    issuer.document = json.dumps({"keys": [public | {"kid": "short"}]}).encode()
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        made = jwt.encode(claims(), short, "RS256", headers={"kid": "short"})
    with pytest.raises(KeyRejected):
        tokens.authenticate(made)

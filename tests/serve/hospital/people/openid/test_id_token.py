"""Attacks on the ID token: only what the issuer signed, for this service and sign-in, holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("joserfc", reason="the extra 'serve' is not installed")
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from hemocast.errors import NotAdmitted
from hemocast.serve.hospital.people.openid.id_token import read_id_token

NOW = 1_800_000_000
CLAIMS = {
    "iss": "https://a.example", "aud": "hemocast", "sub": "7", "nonce": "n", "iat": NOW,
    "exp": NOW + 300,
}  # fmt: skip
KEY = ECKey.generate_key("P-256", {"kid": "one"})
OTHER = ECKey.generate_key("P-256", {"kid": "one"})


def read(token: str, *keys: Any) -> dict[str, Any]:
    known = KeySet(list(keys or [KEY]))
    return read_id_token(
        token, lambda _: known, issuer="https://a.example", client="hemocast", nonce="n",
        clock=lambda: NOW,
    )  # fmt: skip


def signed(key: Any = KEY, algorithm: str = "ES256", **more: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | more).items() if value is not None}
    header = {"alg": algorithm, "kid": "one"}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "more",
    [
        {}, {"aud": ["hemocast"]}, {"aud": ["other", "hemocast"], "azp": "hemocast"},
        {"exp": NOW - 30}, {"iat": NOW + 30},
    ],
)  # fmt: skip
def test_what_the_issuer_signed_for_us_holds(more: dict[str, Any]) -> None:
    assert read(signed(**more))["sub"] == "7"


def test_rsa_holds_too() -> None:
    key = RSAKey.generate_key(2048, {"kid": "one"})
    assert read(signed(key, "RS256"), key)["sub"] == "7"


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://b.example"}, {"iss": None}, {"iss": ["https://a.example"]},
        {"aud": "other"}, {"aud": ["other"]}, {"aud": None}, {"aud": []},
        {"aud": ["other", "hemocast"]}, {"aud": ["other", "hemocast"], "azp": "other"},
        {"azp": "other"}, {"sub": None}, {"sub": 7}, {"sub": ""},
        {"exp": NOW - 61}, {"exp": None}, {"exp": "never"}, {"iat": NOW + 61}, {"iat": None},
        {"nbf": NOW + 61}, {"nonce": "m"}, {"nonce": None}, {"nonce": ""},
    ],
)  # fmt: skip
def test_a_token_for_others_of_others_or_of_another_time_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(NotAdmitted, match="does not hold"):
        read(signed(**more))


PUBLIC = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))
FORGED: dict[str, Callable[[], str]] = {
    "another key": lambda: signed(OTHER),
    "none": lambda: f"{part({'alg': 'none', 'kid': 'one'})}.{part(CLAIMS)}.",
    "none in capitals": lambda: f"{part({'alg': 'NONE'})}.{part(CLAIMS)}.",
    "no signature": lambda: f"{part({'alg': 'ES256', 'kid': 'one'})}.{part(CLAIMS)}.",
    "cut off": lambda: signed().rpartition(".")[0],
    "a secret that all know": lambda: signed(PUBLIC, "HS256"),
    "its own key within": lambda: jwt.encode(
        {"alg": "ES256", "kid": "one", "jwk": OTHER.as_dict(private=False)}, CLAIMS, OTHER
    ),
    "other claims": lambda: f"{signed().split('.')[0]}.{part(CLAIMS)}.{signed().split('.')[2]}x",
    "another key's name": lambda: jwt.encode({"alg": "ES256", "kid": "two"}, CLAIMS, KEY),
    "no object": lambda: "W10.W10.W10",
    "nothing": lambda: "",
    "too long": lambda: "a" * 60_000,
    "no letters": lambda: "é\0",
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_is_refused(how: str) -> None:
    with pytest.raises(NotAdmitted, match="does not hold"):
        read(FORGED[how]())


def test_a_key_that_is_new_is_asked_for_once() -> None:
    new, asked = ECKey.generate_key("P-256", {"kid": "one"}), []
    old = ECKey.generate_key("P-256", {"kid": "old"})

    def keys(renewed: bool) -> KeySet:
        asked.append(renewed)
        return KeySet([new if renewed else old])

    claims = read_id_token(
        signed(new), keys, issuer="https://a.example", client="hemocast", nonce="n",
        clock=lambda: NOW,
    )  # fmt: skip
    assert claims["sub"] == "7"
    assert asked == [False, True]

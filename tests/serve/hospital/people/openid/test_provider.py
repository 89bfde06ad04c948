"""The provider is asked seldom, believed in nothing that is unencrypted, and left when silent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("joserfc", reason="the extra 'serve' is not installed")
from joserfc.jwk import ECKey

from hemocast.errors import PeerRefused, UsageError
from hemocast.serve.hospital.people.openid.provider import Provider
from hemocast.serve.hospital.people.settings import SignInConfig


def test_it_is_asked_once_an_hour_and_for_new_keys_at_most_every_half_minute(
    provided: Any,
) -> None:
    now = [0.0]
    provider = Provider(provided.settings(), clock=lambda: now[0])
    assert provider.describe().token == f"{provided.issuer}/token"
    for _ in range(3):
        assert [key.kid for key in provider.key_set(renewed=True)] == ["one"]
    assert provided.asked == ["description", "keys"]
    provided.published = [ECKey.generate_key("P-256", {"kid": "two"})]
    now[0] = 31.0
    assert [key.kid for key in provider.key_set()] == ["one"]
    assert [key.kid for key in provider.key_set(renewed=True)] == ["two"]
    now[0] = 3601.0
    provider.describe()
    assert provided.asked == ["description", "keys", "keys", "description"]


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None},
        {"token_endpoint": "http://example.org/token"}, {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"}, {"jwks_uri": 7},
        {"authorization_endpoint": "http://127.0.0.1.evil.example/a"},
    ],
)  # fmt: skip
def test_a_provider_that_says_what_cannot_be_is_refused(provided: Any, lie: dict[str, Any]) -> None:
    provided.description = lie
    with pytest.raises(PeerRefused):
        Provider(provided.settings()).describe()


def test_keys_that_are_none_are_refused(provided: Any) -> None:
    for published in ("/token", "/.well-known/openid-configuration", "/nowhere"):
        provided.description = {"jwks_uri": provided.issuer + published}
        with pytest.raises(PeerRefused):
            Provider(provided.settings()).key_set()


def test_a_provider_that_is_away_or_silent_is_left() -> None:
    away = SignInConfig(issuer="http://127.0.0.1:1", reader=("A",))
    with pytest.raises(PeerRefused, match="does not answer"):
        Provider(away).describe()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = SignInConfig(issuer=issuer, reader=("A",), timeout_s=1)
        with pytest.raises(PeerRefused, match="ReadTimeout"):
            Provider(settings).describe()


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_the_secret_goes_as_the_provider_takes_it(provided: Any, tmp_path: Path, way: str) -> None:
    provided.client_secret = "s3cret/of the client"  # noqa: S105 - of the tests
    provided.description = {"token_endpoint_auth_methods_supported": [way]}
    secret = tmp_path / "secret"
    secret.write_text(f"{provided.client_secret}\n")
    provided.codes["c"] = {
        "client_id": "hemocast", "redirect_uri": "http://x/b", "nonce": "n",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }  # fmt: skip
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    with pytest.raises(PeerRefused, match="status 401"):
        Provider(provided.settings()).redeem("c", verifier, "http://x/b")
    provider = Provider(provided.settings(client_secret=secret))
    assert provider.redeem("c", verifier, "http://x/b").count(".") == 2
    with pytest.raises(UsageError, match="client_secret"):
        Provider(provided.settings(client_secret=tmp_path / "x")).redeem("c", verifier, "x")

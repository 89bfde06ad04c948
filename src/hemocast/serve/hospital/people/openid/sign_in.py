"""A sign-in from its first step to who it is.

What must come back unchanged (state, nonce, PKCE's verifier) travels in a cookie that we sign, so
that services share it and nobody can fill a store with sign-ins that he never ends.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from hemocast.errors import NotAdmitted
from hemocast.serve.hospital.people.accounts import Identity, unix_time
from hemocast.serve.hospital.people.openid import BACK, LASTS_S
from hemocast.serve.hospital.people.openid.id_token import read_id_token
from hemocast.serve.hospital.people.openid.provider import Provider, refused
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.people.settings import SignInConfig

_MOST_LETTERS = 2048


@dataclass(frozen=True, repr=False)
class Begun:
    """A sign-in that has begun.

    Parameters
    ----------
    address : str
        Of the provider, for the browser to go to.
    cookie : str
        What the browser keeps until it is back.
    """

    address: str
    cookie: str


class SignIn:
    """Signs people in by a provider.

    Parameters
    ----------
    settings : SignInConfig
        With an issuer.
    secret : bytes
        Of the data root.
    origin : str
        Where browsers reach the pages.
    provider : Provider, optional
        In place of that of the settings.
    clock : callable
        Unix time.
    """

    def __init__(
        self,
        settings: SignInConfig,
        secret: bytes,
        origin: str,
        provider: Provider | None = None,
        clock: Callable[[], int] = unix_time,
    ) -> None:
        self._settings = settings
        self._key = OctKey.import_key(hmac.digest(secret, b"sign-in", "sha256"))
        self._origin = origin
        self._provider = provider or Provider(settings)
        self._clock = clock

    @property
    def label(self) -> str:
        """Words of the settings for the way in; "" for ours."""
        return self._settings.label

    def begin(self) -> Begun:
        """Begin a sign-in; raises `PeerRefused` where the provider does not answer."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._origin + BACK,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier}
        kept_until = {"exp": self._clock() + LASTS_S}
        cookie = jwt.encode({"alg": "HS256"}, kept | kept_until, self._key)
        return Begun(_with(self._provider.describe().authorization, asked), cookie)

    def finish(self, cookie: str, state: str, code: str) -> Identity:
        """Tell who has come back.

        Parameters
        ----------
        cookie : str
            What the browser kept.
        state, code : str
            What the provider sent along; no code: it let nobody in.

        Raises
        ------
        NotAdmitted
            The browser has begun no such sign-in, or the provider did not let in who it is.
        PeerRefused
            The provider does not answer, or its answer is none.
        """
        kept = self._kept(cookie)
        if not hmac.compare_digest(kept["state"].encode(), state.encode("utf-8", "replace")):
            raise _not_begun()
        if not 0 < len(code) <= _MOST_LETTERS:
            raise NotAdmitted(
                "The provider sends back no code", "that it lets the person in", "Sign in again"
            )
        token = self._provider.redeem(code, kept["verifier"], self._origin + BACK)
        claims = read_id_token(
            token,
            lambda renewed: self._provider.key_set(renewed=renewed),
            issuer=str(self._settings.issuer),
            client=self._settings.client_id,
            nonce=kept["nonce"],
            clock=self._clock,
        )
        return identity_of(claims, self._settings)

    def _kept(self, cookie: str) -> Mapping[str, str]:
        try:
            kept = jwt.decode(cookie, self._key, algorithms=["HS256"]).claims
            JWTClaimsRegistry(self._clock, exp={"essential": True}).validate(kept)
        # The parser raises whatever its code trips over in a cookie that is none of ours.
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise _not_begun() from None
        return {name: str(value) for name, value in kept.items()}

    def farewell(self) -> str:
        """Give the provider's address where a person ends the session there; "" for none.

        Raises
        ------
        PeerRefused
            It does not answer.
        """
        there = self._provider.describe().end_session
        back = {"post_logout_redirect_uri": f"{self._origin}/login"}
        return _with(there, {"client_id": self._settings.client_id, **back}) if there else ""


def challenge_of(verifier: str) -> str:
    """Give PKCE's challenge S256 of a verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def identity_of(claims: Mapping[str, Any], settings: SignInConfig) -> Identity:
    """Read who claims that were proved are of, and what he may do: the most of his groups' roles.

    Raises
    ------
    PeerRefused
        They have no name.
    """
    name = claims.get(settings.name_claim)
    if not isinstance(name, str) or not name.strip():
        raise refused("says no name: sign_in.name_claim")
    # Both together: another provider may have the same subject.
    key = json.dumps([claims["iss"], claims["sub"]]).encode()
    groups = _groups(claims, settings.role_claim)
    roles = [role for role in Role if groups & set(settings.groups(role))]
    digest = hashlib.sha256(key).hexdigest()
    return Identity(digest, name.strip().lower(), roles[-1] if roles else None)


def _groups(claims: Mapping[str, Any], name: str) -> set[str]:
    """Give the texts of a claim; a dot leads into it, unless the name as a whole is there."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return {one for one in listed if isinstance(one, str)}


def _with(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _not_begun() -> NotAdmitted:
    return NotAdmitted(
        "A sign-in comes back that this browser did not begin, or not lately",
        f"one that began here within {LASTS_S // 60} minutes",
        "Sign in again",
    )

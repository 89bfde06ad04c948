"""The provider: what it says of itself, its keys, and the token that it gives for a code."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hemocast.errors import NotAdmitted, PeerRefused
from hemocast.serve.hospital.people.settings import SignInConfig, is_private, read_secret

_DESCRIPTION = "/.well-known/openid-configuration"
_HOLDS_S = 3600.0
"""How long what it says of itself, and its keys, are taken to hold."""
_RENEW_S = 30.0
"""Keys are not asked for more often, whatever tokens say that they are signed with."""
_MOST_BYTES = 1_000_000
_AT_ONCE = 8
_QUEUE_S = 1.0
"""Questions under way, and how long another waits: a provider that hangs must not take all threads
of the pages."""


@dataclass(frozen=True)
class Description:
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3).

    Parameters
    ----------
    authorization, token, keys : str
        Addresses.
    end_session : str
        Where people end their session with it; "" where it has no such page.
    basic : bool
        It takes the client's secret as HTTP's basic authentication; else in the form.
    """

    authorization: str
    token: str
    keys: str
    end_session: str
    basic: bool


class Provider:
    """An OpenID Connect provider.

    Parameters
    ----------
    settings : SignInConfig
        With an issuer.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(self, settings: SignInConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._described: tuple[float, Description] | None = None
        self._known: tuple[float, KeySet] | None = None
        self._room = BoundedSemaphore(_AT_ONCE)

    def describe(self) -> Description:
        """Give what it says of itself, as it said within the last hour.

        Raises
        ------
        PeerRefused
            It does not answer, is not the issuer, or would have secrets travel unencrypted.
        """
        known = self._described
        if known is None or self._clock() - known[0] >= _HOLDS_S:
            issuer = str(self._settings.issuer)
            said = self._ask("GET", issuer.rstrip("/") + _DESCRIPTION)
            if said.get("issuer") != issuer:
                raise refused("names another issuer than the settings")
            known = self._described = (self._clock(), _description(said))
        return known[1]

    def key_set(self, *, renewed: bool = False) -> KeySet:
        """Give its public keys, as it had them within the last hour.

        Parameters
        ----------
        renewed : bool
            Ask again, unless that was a moment ago: a token is signed with a key that is new.

        Raises
        ------
        PeerRefused
            It does not answer, or not with keys.
        """
        known = self._known
        if known is None or self._clock() - known[0] >= (_RENEW_S if renewed else _HOLDS_S):
            said = self._ask("GET", self.describe().keys)
            try:
                known = self._known = (self._clock(), KeySet.import_key_set(said))  # type: ignore[arg-type]
            # A set of keys may be broken in whatever way its maker did not think of.
            except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
                raise refused(f"has no keys that can be read ({type(error).__name__})") from None
        return known[1]

    def redeem(self, code: str, verifier: str, back: str) -> str:
        """Give the ID token for a code (RFC 6749, 4.1.3; RFC 7636, 4.5).

        Parameters
        ----------
        code : str
            As the person's browser brought it.
        verifier : str
            Whose challenge the provider was shown when the sign-in began.
        back : str
            Our address that the browser came back to.

        Raises
        ------
        NotAdmitted
            The code is not, or no longer, good.
        PeerRefused
            It does not answer, does not know this service, or gives no ID token.
        """
        there, client = self.describe(), self._settings.client_id
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        form |= {"client_id": client, "code_verifier": verifier}
        login = None
        if self._settings.client_secret is not None:
            secret = read_secret(self._settings.client_secret, "sign_in.client_secret")
            if there.basic:  # RFC 6749, 2.3.1: both as in a form
                login = (quote(client, safe=""), quote(secret, safe=""))
            else:
                form["client_secret"] = secret
        token = self._ask("POST", there.token, data=form, auth=login).get("id_token")
        if not isinstance(token, str):
            raise refused("gives no ID token")
        return token

    def _ask(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        if not self._room.acquire(timeout=_QUEUE_S):
            raise refused("is slow: too many wait for it")
        try:
            # No redirect: it would take the code and our secret to a place nobody named.
            more |= {"verify": self._trusted, "timeout": self._settings.timeout_s}
            with httpx.stream(method, address, **more) as answer:
                return _read(answer)
        except httpx.HTTPError as error:
            raise refused(f"does not answer ({type(error).__name__})") from None
        except (httpx.InvalidURL, ValueError) as error:
            raise refused(f"gives no answer in JSON ({type(error).__name__})") from None
        finally:
            self._room.release()

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.authorities)
        except OSError as error:
            raise refused(
                f"cannot be trusted: sign_in.authorities ({type(error).__name__})"
            ) from error


def _read(answer: httpx.Response) -> Mapping[str, Any]:
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > _MOST_BYTES:
            raise refused("answers without end")
    if answer.status_code == 400 and answer.request.method == "POST":
        raise NotAdmitted(
            "The provider does not take the code of a sign-in",
            "a code that is fresh, unused and of this sign-in",
            "Sign in again",
        )
    if answer.status_code != 200:
        raise refused(f"answers with status {answer.status_code}")
    found = httpx.Response(200, content=body).json()
    if not isinstance(found, dict):
        raise refused("gives no answer in JSON")
    return found


def _description(said: Mapping[str, Any]) -> Description:
    def address(name: str) -> str:
        found = said.get(name)
        if not isinstance(found, str) or not is_private(found):
            raise refused(f"names no {name} with https")
        return found

    ways = said.get("token_endpoint_auth_methods_supported")
    return Description(
        authorization=address("authorization_endpoint"),
        token=address("token_endpoint"),
        keys=address("jwks_uri"),
        end_session=address("end_session_endpoint") if "end_session_endpoint" in said else "",
        basic=not isinstance(ways, list) or "client_secret_basic" in ways,
    )


def refused(how: str) -> PeerRefused:
    """Say that the provider does not do what it was asked for."""
    return PeerRefused(
        f"The provider of sign-ins {how}",
        "the OpenID Connect provider that sign_in.issuer names",
        "Check sign_in in the settings, and the provider's own log; local accounts work without it",
    )

"""What an ID token says, once it is proved (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from hemocast.errors import NotAdmitted
from hemocast.serve.hospital.people.accounts import unix_time

_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures with a key that the provider alone has: never none, never a shared secret."""
_LEEWAY_S = 60
_MOST_LETTERS = 50_000


def read_id_token(
    token: str,
    keys: Callable[[bool], KeySet],
    *,
    issuer: str,
    client: str,
    nonce: str,
    clock: Callable[[], int] = unix_time,
) -> dict[str, Any]:
    """Give the claims of an ID token.

    Parameters
    ----------
    token : str
    keys : callable
        Gives the provider's keys; True: asked for again.
    issuer, client : str
        Who must have made it, and for whom.
    nonce : str
        Of the sign-in that it must be the answer to.
    clock : callable
        Unix time.

    Raises
    ------
    NotAdmitted
        It is not signed by the issuer, of another issuer, for another service, expired, of the
        future, or the answer to another sign-in.
    PeerRefused
        As `keys` does.
    """
    must = JWTClaimsRegistry(
        clock, _LEEWAY_S, nonce={"essential": True, "value": nonce},
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": client},
        sub={"essential": True}, exp={"essential": True}, iat={"essential": True},
    )  # fmt: skip
    try:
        claims = _signed(token, keys)
        must.validate(claims)
    except JoseError as error:
        raise _refused(type(error).__name__) from None
    # Its parser raises whatever its code trips over in a hostile token.
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _refused(type(error).__name__) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client) != client:
        raise _refused("for another service")
    return claims


def _signed(token: str, keys: Callable[[bool], KeySet]) -> dict[str, Any]:
    if len(token) > _MOST_LETTERS:
        raise _refused("too long")
    try:
        return jwt.decode(token, keys(False), algorithms=_ALGORITHMS).claims
    except InvalidKeyIdError:  # providers change their keys
        return jwt.decode(token, keys(True), algorithms=_ALGORITHMS).claims


def _refused(why: str) -> NotAdmitted:
    return NotAdmitted(
        f"The provider's ID token does not hold ({why})",
        "a token that the issuer of the settings signed for this service and this sign-in",
        "Sign in again; if it stays so, look at sign_in.issuer, sign_in.client_id and the clocks",
    )

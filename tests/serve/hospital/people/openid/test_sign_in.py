"""A sign-in from its first step to its last: what comes back must be what began here."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

pytest.importorskip("joserfc", reason="the extra 'serve' is not installed")
from hemocast.errors import NotAdmitted, PeerRefused
from hemocast.serve.hospital.people.openid.sign_in import SignIn, challenge_of, identity_of
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.people.settings import SignInConfig

ORIGIN = "http://127.0.0.1:8090"
KEY = b"k" * 32


def sign_in(provided: Any, **more: Any) -> SignIn:
    return SignIn(provided.settings(**more), KEY, ORIGIN)


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def finish(provided: Any, signing: SignIn, **changed: str) -> object:
    begun = signing.begin()
    given = provided.visit(begun.address) | changed
    return signing.finish(given.get("cookie", begun.cookie), given["state"], given["code"])


def test_who_it_is_comes_with_the_most_of_the_roles(provided: Any) -> None:
    provided.claims["groups"] = ["stroke", "it", "x"]
    found = finish(provided, sign_in(provided))
    assert (found.name, found.role) == ("ann", Role.ADMIN)
    provided.claims["sub"] = "8"
    assert finish(provided, sign_in(provided)).key != found.key


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    given = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(given) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_provider_is_asked_for_a_code_with_a_challenge(provided: Any) -> None:
    begun = sign_in(provided).begin()
    asked = query_of(begun.address)
    assert begun.address.startswith(f"{provided.issuer}/authorize?tenant=1&")
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid profile"
    assert asked["redirect_uri"] == f"{ORIGIN}/login/back"
    assert len({asked[name] for name in ("state", "nonce", "code_challenge")}) == 3
    again = query_of(sign_in(provided).begin().address)
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "x"}, {"state": ""}, {"state": "é"}, {"code": "x"}, {"code": ""},
        {"code": "x" * 3000}, {"cookie": ""}, {"cookie": "x"}, {"cookie": "a.b.c"},
        {"cookie": "eyJhbGciOiJub25lIn0.e30."},
    ],
)  # fmt: skip
def test_what_was_changed_on_its_way_lets_nobody_in(provided: Any, changed: dict[str, str]) -> None:
    with pytest.raises(NotAdmitted):
        finish(provided, sign_in(provided), **changed)


def test_another_sign_ins_cookie_late_or_of_another_service_lets_nobody_in(
    provided: Any,
) -> None:
    now = [1000]
    signing = SignIn(provided.settings(), KEY, ORIGIN, clock=lambda: now[0])
    first, second = signing.begin(), signing.begin()
    back = provided.visit(first.address)
    foreign = SignIn(provided.settings(), b"x" * 32, ORIGIN).begin()
    for cookie in (second.cookie, foreign.cookie):
        with pytest.raises(NotAdmitted, match="did not begin"):
            signing.finish(cookie, back["state"], back["code"])
    now[0] += 601
    with pytest.raises(NotAdmitted, match="did not begin"):
        signing.finish(first.cookie, back["state"], back["code"])
    assert "token" not in provided.asked


def test_a_code_is_good_once_and_with_its_own_verifier(provided: Any) -> None:
    signing = sign_in(provided)
    mine, theirs = signing.begin(), signing.begin()
    stolen = provided.visit(theirs.address)["code"]
    with pytest.raises(NotAdmitted, match="does not take the code"):
        signing.finish(mine.cookie, query_of(mine.address)["state"], stolen)
    back = provided.visit(mine.address)
    signing.finish(mine.cookie, back["state"], back["code"])
    with pytest.raises(NotAdmitted, match="does not take the code"):
        signing.finish(mine.cookie, back["state"], back["code"])


CLAIMS = {"iss": "https://a.example", "sub": "7", "name": " Ann ", "roles": {"ht": ["A", "B"]}}


@pytest.mark.parametrize(
    ("claim", "more", "role"),
    [
        ("roles.ht", {}, Role.ENGINEER),
        ("roles.ht", {"roles": {"ht": "A"}}, Role.READER),
        ("roles.ht", {"roles.ht": ["C"]}, None),
        ("roles.ht", {"roles": ["A"]}, None),
        ("roles.ht.x", {}, None),
        ("groups", {}, None),
        ("groups", {"groups": [7, {"A": 1}, None]}, None),
    ],
)
def test_a_role_is_what_the_groups_say_and_nothing_else(
    claim: str, more: dict[str, Any], role: Role | None
) -> None:
    settings = SignInConfig(
        issuer="https://a.example", name_claim="name", role_claim=claim, reader=("A",),
        engineer=("B",),
    )  # fmt: skip
    found = identity_of(CLAIMS | more, settings)
    assert (found.name, found.role) == ("ann", role)


@pytest.mark.parametrize("name", [None, "", " ", 7, ["ann"]])
def test_somebody_without_a_name_is_refused(name: object) -> None:
    settings = SignInConfig(issuer="https://a.example", reader=("A",))
    with pytest.raises(PeerRefused, match="name_claim"):
        identity_of(CLAIMS | {"preferred_username": name}, settings)


def test_where_the_session_there_ends(provided: Any) -> None:
    there = sign_in(provided).farewell()
    assert there.startswith(f"{provided.issuer}/logout?")
    assert query_of(there)["post_logout_redirect_uri"] == f"{ORIGIN}/login"
    provided.description["end_session_endpoint"] = "javascript:alert(1)"
    with pytest.raises(PeerRefused):
        sign_in(provided).farewell()

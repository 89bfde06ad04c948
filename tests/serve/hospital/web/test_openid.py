"""Sign-in by the hospital's provider: who comes in as what, and what no attack changes."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hemocast.errors import UsageError
from hemocast.serve.hospital.people import sessions
from hemocast.serve.hospital.people.audit import Kind
from hemocast.serve.hospital.people.roles import Role, Scope
from hemocast.serve.hospital.people.settings import WebConfig
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import StorageConfig
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.web.app import serving
from hemocast.serve.hospital.web.desk import Desk
from hemocast.serve.reading.address import listen

from .conftest import BOSS, PASSWORD, Hospital, form_token

pytest.importorskip("joserfc", reason="the extra 'serve' is not installed")
AWAY = "http://127.0.0.1:1"


@pytest.fixture
def make(tmp_path: Path, provided: Any) -> Iterator[Callable[..., Hospital]]:
    """Return a function that makes a hospital with the provider."""
    root = Root.open(StorageConfig(root=tmp_path / "data", reserve_gb=0))
    with closing(Database(root.database)) as database:

        def _make(**more: Any) -> Hospital:
            settings = provided.settings(**more)
            return Hospital(Desk.of(root, database, WebConfig(), sign_in=settings))

        yield _make


@pytest.fixture
def hospital(make: Callable[..., Hospital]) -> Hospital:
    return make()


def begin(visitor: TestClient, provided: Any) -> dict[str, str]:
    answer = visitor.get("/login/provider")
    assert answer.status_code == 303
    return provided.visit(answer.headers["location"])


def come_back(visitor: TestClient, provided: Any, **changed: str) -> Any:
    return visitor.get("/login/back", params=begin(visitor, provided) | changed)


def log_ins(hospital: Hospital) -> list[tuple[str, str, bool]]:
    acts = [entry.act for entry in hospital.desk.audit.entries()]
    return [(a.by.name, a.detail, a.success) for a in acts if a.kind is Kind.LOG_IN]


def test_somebody_of_the_hospital_comes_in_and_goes(hospital: Hospital, provided: Any) -> None:
    visitor = hospital.visit()
    assert "/login/provider" in visitor.get("/login").text
    answer = come_back(visitor, provided)
    assert answer.status_code == 200
    # The next step is our own page's, so that the strict cookie goes along.
    assert 'http-equiv="refresh" content="0;url=/"' in answer.text
    kept, begun = sorted(answer.headers.get_list("set-cookie"))
    assert re.match(r"hemocast-sign-in=\"\"; .*Max-Age=0", kept)
    assert re.match(r"hemocast=[\w-]{43}; HttpOnly; Path=/; SameSite=strict$", begun)
    assert "ann" in visitor.get("/").text
    assert visitor.get("/audit").status_code == 403
    assert log_ins(hospital) == [("ann", "", True)]
    account = hospital.desk.accounts.get("ann")
    assert (account.role, account.local) == (Role.READER, False)
    out = visitor.post("/logout", data={"csrf": form_token(visitor)})
    assert f"{provided.issuer}/logout?client_id=hemocast" in out.text
    assert visitor.get("/").status_code == 303
    assert visitor.get("/login/back").status_code == 403, "the cookie of the sign-in is gone"


def test_the_role_is_the_providers_every_time(hospital: Hospital, provided: Any) -> None:
    first, second = hospital.visit(), hospital.visit()
    come_back(first, provided)
    provided.claims = {"groups": ["stroke", "it"], "preferred_username": "renamed"}
    assert come_back(second, provided).status_code == 200
    assert second.get("/audit").status_code == 200
    assert first.get("/").status_code == 303, "another role ends the sessions before"
    assert hospital.desk.accounts.get("ann").role is Role.ADMIN, "the account is the subject's"
    provided.claims = {"groups": ["x"]}
    assert come_back(hospital.visit(), provided).status_code == 403
    assert second.get("/").status_code == 303, "no role any more: logged out everywhere"
    assert log_ins(hospital)[0] == ("ann", "HC012", False)
    kinds = [entry.act.kind for entry in hospital.desk.audit.entries()]
    assert kinds.count(Kind.ROLE) == 1


def test_without_a_role_or_with_anothers_name_nobody_comes_in(
    hospital: Hospital, provided: Any
) -> None:
    visitor = hospital.visit()
    for claims in (
        {"groups": []}, {"groups": None}, {"groups": ["STROKE"]},
        {"preferred_username": "ADMIN"}, {"preferred_username": "a b"},
        {"preferred_username": "x" * 41}, {"preferred_username": "<script>"},
    ):  # fmt: skip
        provided.claims = claims
        answer = come_back(visitor, provided)
        assert (answer.status_code, "HC012" in answer.text) == (403, True), claims
    assert visitor.get("/").status_code == 303
    assert set(log_ins(hospital)) == {("", "HC012", False)}
    names = {one.name for one in hospital.desk.accounts.all()}
    assert names == {role.value for role in Role}


def test_a_token_that_does_not_hold_lets_nobody_in(hospital: Hospital, provided: Any) -> None:
    for lies in (
        {"nonce": "x"}, {"aud": "other"}, {"iss": "https://evil.example"}, {"exp": 1},
        {"sub": None},
    ):  # fmt: skip
        provided.lies = lies
        answer = come_back(hospital.visit(), provided)
        assert (answer.status_code, "HC012" in answer.text) == (403, True)
        assert "hemocast=" not in "".join(answer.headers.get_list("set-cookie"))


def test_another_browsers_sign_in_is_worth_nothing_here(hospital: Hospital, provided: Any) -> None:
    """Nobody is logged in as somebody else by a link, and a code that was seen opens nothing."""
    attacker, victim = hospital.visit(), hospital.visit()
    back = begin(attacker, provided)
    assert victim.get("/login/back", params=back).status_code == 403
    begin(victim, provided)
    assert victim.get("/login/back", params=back).status_code == 403
    assert attacker.get("/login/back", params=back).status_code == 200
    assert attacker.get("/login/back", params=back).status_code == 403, "each is good once"
    assert come_back(victim, provided, state="x").status_code == 403
    for odd in ({}, {"error": "access_denied", "state": "x"}, {"code": "é" * 5000, "state": "\0"}):
        assert victim.get("/login/back", params=odd).status_code == 403


def test_no_link_says_where_a_sign_in_leads(hospital: Hospital, provided: Any) -> None:
    evil = "https://evil.example/"
    more = dict.fromkeys(("next", "return_to", "redirect_uri", "url", "state_url"), evil)
    visitor = hospital.visit()
    sent = visitor.get("/login/provider", params=more, headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in sent.headers["location"]
    back = provided.visit(sent.headers["location"])
    answer = visitor.get("/login/back", params=back | more)
    assert answer.status_code == 200
    assert "evil" not in answer.text + str(answer.headers)


def test_a_provider_that_is_away_leaves_local_accounts_at_work(
    make: Callable[..., Hospital], caplog: pytest.LogCaptureFixture
) -> None:
    visitor = make(issuer=AWAY).visit()
    answer = visitor.get("/login/provider")
    assert (answer.status_code, "HC010" in answer.text) == (503, True)
    given = {"name": "reader", "password": PASSWORD}
    assert visitor.post("/login", data=given).status_code == 303
    assert visitor.get("/").status_code == 200
    assert "HC010" in caplog.text


def test_one_that_goes_away_on_the_way_is_told_and_uses_up_no_attempt(
    make: Callable[..., Hospital],
    provided: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "_BY_ADDRESS", 2)
    hospital = make()
    visitor = hospital.visit()
    provided.description = {"token_endpoint": f"{AWAY}/token"}
    with caplog.at_level(logging.INFO, "hemocast"):
        for _ in range(3):
            answer = come_back(visitor, provided)
    assert (answer.status_code, "HC010" in answer.text) == (503, True)
    assert log_ins(hospital)[0] == ("", "HC010", False)
    assert not set(provided.codes) & set(re.findall(r"[\w-]{20,}", caplog.text))


def test_attempts_in_vain_are_slowed_down(
    make: Callable[..., Hospital], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_BY_ADDRESS", 3)
    visitor = make().visit()
    codes = [visitor.get("/login/back?state=x&code=y").status_code for _ in range(4)]
    assert codes == [403] * 3 + [429]


def test_an_account_of_the_provider_is_disabled_here_and_changed_there(
    hospital: Hospital, provided: Any
) -> None:
    desk = hospital.desk
    visitor = hospital.visit()
    come_back(visitor, provided)
    for change in (
        lambda: desk.accounts.set_password("ann", PASSWORD, BOSS),
        lambda: desk.accounts.change_role("ann", Role.ADMIN, BOSS),
        lambda: desk.tokens.add(desk.accounts.get("ann"), Scope.RESULTS, "x", 1, BOSS),
    ):
        with pytest.raises(UsageError):
            change()
    given = {"name": "ann", "password": ""}
    assert hospital.visit().post("/login", data=given).status_code == 401
    desk.accounts.enable("ann", BOSS, on=False)
    assert visitor.get("/").status_code == 303
    assert come_back(visitor, provided).status_code == 403
    desk.accounts.enable("ann", BOSS, on=True)
    assert come_back(visitor, provided).status_code == 200


def test_over_tls_both_cookies_never_travel_without(make: Callable[..., Hospital]) -> None:
    from dataclasses import replace

    from hemocast.serve.hospital.web.app import hospital_app
    from hemocast.serve.reading.address import read_address

    desk = replace(make().desk, address=read_address("https://ht.example.org"))
    visitor = TestClient(hospital_app(desk), base_url=desk.address.origin, follow_redirects=False)
    cookie = visitor.get("/login/provider").headers["set-cookie"]
    assert re.match(
        r"__Host-hemocast-sign-in=\S+; HttpOnly; Max-Age=600; Path=/; SameSite=lax; Sec", cookie
    )


def test_without_a_provider_there_is_no_such_way(tmp_path: Path) -> None:
    root = Root.open(StorageConfig(root=tmp_path / "other", reserve_gb=0))
    with closing(Database(root.database)) as database:
        visitor = Hospital(Desk.of(root, database, WebConfig())).visit()
        assert "/login/provider" not in visitor.get("/login").text
        for path in ("/login/provider", "/login/back?state=x&code=y"):
            assert visitor.get(path).status_code == 404


@pytest.mark.slow
def test_in_a_browser_the_provider_is_another_site_and_leads_to_the_worklist(
    make: Callable[..., Hospital], provided: Any, browser: Any, artefacts: Path
) -> None:
    """What cookies go along from site to site only a browser knows."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    provided.issuer = provided.issuer.replace("127.0.0.1", "localhost")
    made = make().desk
    settings = WebConfig(port=port)
    desk = Desk.of(made.root, made.database, settings, sign_in=provided.settings(label="Ward"))
    with listen("127.0.0.1", port) as listening, serving(desk, listening):
        tab = browser.new_page()
        tab.goto(f"{desk.address.origin}/login")
        tab.screenshot(path=artefacts / "hospital-login-provider.png")
        tab.click("a.button:text('Ward')")
        tab.wait_for_url(f"{desk.address.origin}/")
        assert "ann" in tab.text_content("header")
        tab.click("header button")
        tab.wait_for_selector(f"a.button[href^='{provided.issuer}/logout']")
        tab.screenshot(path=artefacts / "hospital-logged-out.png")
        tab.close()

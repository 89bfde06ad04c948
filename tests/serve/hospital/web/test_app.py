"""Attacks: what nobody gets without a session or token, and what a small role does not get."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from hemocast.serve.hospital.people.audit import Audit, Kind
from hemocast.serve.hospital.people.roles import Role, Scope
from hemocast.serve.hospital.service import opened
from hemocast.serve.hospital.settings import HospitalConfig
from hemocast.serve.hospital.web.app import hospital_app, open_pages, serving
from hemocast.serve.hospital.web.guard import API
from hemocast.serve.reading.address import listen

from .conftest import BOSS, ORIGIN, PASSWORD, Hospital, form_token

LogIn = Callable[..., TestClient]
OPEN = {"/login", "/login/provider", "/login/back", "/static/hospital.css", "/alive"}
"""What everybody may see; it says nothing of any patient."""

LEAST = {"/audit": Role.ADMIN, "/health": Role.ENGINEER}
"""Pages that not every role may see."""


def routes(hospital: Hospital) -> Iterator[tuple[str, str]]:
    """Every way in: method and address, with numbers in the places of parameters."""
    found = [route for route in walk(hospital.app.routes) if isinstance(route, APIRoute)]
    assert len(found) >= 18
    for route in found:
        for method in route.methods:
            yield method, re.sub(r"\{(\w+)\}", "1", route.path)


def walk(entries: object) -> Iterator[object]:
    for route in entries:  # type: ignore[attr-defined]
        inner = getattr(route, "original_router", None)
        yield from walk(inner.routes) if inner is not None else [route]


def test_no_route_without_a_session_or_token(hospital: Hospital) -> None:
    hospital.predict(hospital.arrive(1), 0.3, scan="1")
    visitor = hospital.visit()
    tried = 0
    for method, path in routes(hospital):
        if path in OPEN:
            continue
        tried += 1
        for headers in (
            {}, {"Cookie": "hemocast=x"}, {"Authorization": "Bearer hemocast_x"},
            {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer " + "x" * 10_000},
        ):  # fmt: skip
            answer = visitor.request(method, path, headers=headers, data={"csrf": "x"})
            assert answer.status_code in {401, 303}, (method, path, headers)
            if answer.status_code == 303:
                assert answer.headers["location"] == "/login"
            assert "ACC1" not in answer.text
            assert "1.2.1" not in answer.text
    assert tried >= 13


def test_no_other_way_in_exists(hospital: Hospital, log_in: LogIn) -> None:
    for visitor in (hospital.visit(), log_in("admin")):
        for path in ("/docs", "/redoc", "/openapi.json", "/static/", "/static/../app.py", "/x"):
            assert visitor.get(path).status_code == 404, path
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert visitor.request(method, "/case/1").status_code in {404, 405}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_no_page_of_a_higher_one(hospital: Hospital, log_in: LogIn, role: Role) -> None:
    hospital.predict(hospital.arrive(1), 0.3, scan="1")
    visitor = log_in(role.value)
    for method, path in routes(hospital):
        if method != "GET" or path.startswith(API) or path in OPEN:
            continue
        least = LEAST.get(path, Role.READER)
        assert visitor.get(path).status_code == (200 if role.may(least) else 403), path
    denied = [one.act for one in hospital.desk.audit.entries() if one.act.kind is Kind.DENIED]
    assert len(denied) == sum(not role.may(least) for least in LEAST.values())


def test_a_session_opens_no_address_of_the_api(hospital: Hospital, log_in: LogIn) -> None:
    visitor = log_in("admin")
    for method, path in routes(hospital):
        if path.startswith(API):
            assert visitor.request(method, path).status_code == 401


def test_a_token_opens_its_scope_and_no_page(hospital: Hospital) -> None:
    desk = hospital.desk
    for scope, path in ((Scope.RESULTS, "/api/v1/results"), (Scope.METRICS, "/api/v1/metrics")):
        token = desk.tokens.add(desk.accounts.get("admin"), scope, "x", 1, BOSS)
        bearer = {"Authorization": f"Bearer {token}"}
        visitor = hospital.visit()
        for method, other in routes(hospital):
            if other in OPEN:
                continue
            answer = visitor.request(method, other, headers=bearer)
            may = other == path or (other.endswith("openapi.json") and scope is Scope.RESULTS)
            assert (answer.status_code in {401, 303}) is not may, other


def test_every_form_needs_the_token_of_its_own_session(hospital: Hospital, log_in: LogIn) -> None:
    hospital.arrive(1)
    mine, theirs = log_in(), log_in()
    for csrf in ("", "x", form_token(theirs), form_token(mine)[:-1], "é"):
        for path in ("/logout", "/find", "/case/1/outcome", "/outcomes"):
            given = {"csrf": csrf, "blood": "1", "seen_on": "2026-01-30", "accession": "ACC1"}
            files = {"table": ("o.csv", "x")} if path == "/outcomes" else None
            answer = mine.post(path, data=given, files=files)
            assert answer.status_code == 403, (path, csrf)
    assert mine.get("/").status_code == 200, "still logged in"
    assert hospital.desk.outcomes.history(1) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Origin": ORIGIN + ".evil.example"}, {"Origin": "http://127.0.0.1:8043"},
    ],
)  # fmt: skip
def test_another_sites_page_can_send_nothing(
    hospital: Hospital, log_in: LogIn, headers: dict[str, str]
) -> None:
    visitor = log_in()
    given = {"csrf": form_token(visitor), "name": "reader", "password": PASSWORD}
    for path in ("/login", "/logout", "/find"):
        assert visitor.post(path, data=given, headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1]"])
def test_another_host_is_refused(hospital: Hospital, host: str) -> None:
    answer = hospital.visit().get("/login", headers={"Host": host})
    assert answer.status_code == 400


def test_every_answer_is_hardened(hospital: Hospital, log_in: LogIn) -> None:
    hospital.predict(hospital.arrive(1), 0.3)
    for path in ("/login", "/", "/case/1", "/case/1/report/scan-1", "/case/9", "/api/v1/results"):
        headers = log_in().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert ("unsafe" in policy) is ("/report/" in path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


def test_the_cookie_is_for_this_host_and_no_script(hospital: Hospital) -> None:
    given = {"name": " READER ", "password": PASSWORD}
    cookie = hospital.visit().post("/login", data=given).headers["set-cookie"]
    assert re.match(r"hemocast=[\w-]{43}; HttpOnly; Path=/; SameSite=strict$", cookie)


def test_over_tls_the_cookie_never_travels_without(hospital: Hospital) -> None:
    from dataclasses import replace

    from hemocast.serve.reading.address import read_address

    desk = replace(hospital.desk, address=read_address("https://ht.example.org"))
    visitor = TestClient(
        hospital_app(desk), base_url=desk.address.origin, headers={"Origin": desk.address.origin}
    )
    answer = visitor.post(
        "/login", data={"name": "reader", "password": PASSWORD}, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hemocast=")
    assert "Secure" in cookie


def test_logging_in_and_out_changes_the_cookie(hospital: Hospital, log_in: LogIn) -> None:
    """A cookie planted before is worth nothing afterwards, and a copied one ends with log-out."""
    visitor = log_in()
    cookie = visitor.cookies["hemocast"]
    assert visitor.post("/logout", data={"csrf": form_token(visitor)}).status_code == 303
    thief = hospital.visit()
    thief.cookies.set("hemocast", cookie)
    assert thief.get("/").status_code == 303
    thief.post("/login", data={"name": "reader", "password": PASSWORD})
    assert thief.cookies.get("hemocast", domain="127.0.0.1") != cookie


def test_a_failed_log_in_says_the_same_of_everybody(hospital: Hospital) -> None:
    hospital.desk.accounts.enable("engineer", BOSS, on=False)
    answers = {
        hospital.visit().post("/login", data={"name": name, "password": password}).text
        for name, password in (
            ("reader", "wrong"), ("nobody", "wrong"), ("engineer", PASSWORD), ("", ""),
            ("' OR 1=1 --", "x"),
        )
    }  # fmt: skip
    assert len(answers) == 1


def test_guessing_is_slowed_down(hospital: Hospital) -> None:
    visitor = hospital.visit()
    codes = [
        visitor.post("/login", data={"name": "reader", "password": f"w{n}"}).status_code
        for n in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2
    given = {"name": "reader", "password": PASSWORD}
    assert visitor.post("/login", data=given).status_code == 429


@pytest.mark.parametrize(
    ("path", "size"), [("/login", 70_000), ("/find", 70_000), ("/outcomes", 6 * 2**20)]
)
def test_a_body_too_large_is_refused_whether_it_says_so_or_not(
    hospital: Hospital, path: str, size: int
) -> None:
    body = b"name=" + b"x" * size
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    visitor = hospital.visit()
    assert visitor.post(path, content=body, headers=kind).status_code == 413
    pieces = (body[at : at + 8192] for at in range(0, len(body), 8192))
    assert visitor.post(path, content=pieces, headers=kind).status_code == 413
    assert visitor.get("/alive").status_code == 204


@pytest.mark.parametrize(
    "path",
    [
        "/case/0", "/case/-1", "/case/99999999999999999999", "/case/1%20OR%201=1", "/case/..%2f..",
        "/case/1;x", "/case/%00", "/?number=x", "/?state=%27", "/audit?before=x", "//evil.example",
        "/case/1/report/a%0d%0aSet-Cookie:x=1",
    ],
)  # fmt: skip
def test_odd_addresses_give_a_plain_answer(hospital: Hospital, log_in: LogIn, path: str) -> None:
    answer = log_in("admin").get(path)
    assert answer.status_code in {200, 404, 422}
    assert "set-cookie" not in answer.headers
    assert "Traceback" not in answer.text


def test_logs_hold_routes_and_no_identifiers(
    hospital: Hospital, log_in: LogIn, caplog: pytest.LogCaptureFixture
) -> None:
    hospital.predict(hospital.arrive(1), 0.3)
    with caplog.at_level(logging.INFO, "hemocast"):
        visitor = log_in()
        visitor.get("/case/1/report/scan-1?x=ACC1")
        visitor.post("/find", data={"accession": "ACC1", "csrf": form_token(visitor)})
        token = hospital.desk.tokens.add(
            hospital.desk.accounts.get("reader"), Scope.RESULTS, "x", 1, BOSS
        )
        bearer = {"Authorization": f"Bearer {token}"}
        hospital.visit().get("/api/v1/results?accession=ACC1", headers=bearer)
    told = [json.loads(record.getMessage()) for record in caplog.records]
    assert {"/case/{study}/report/{scan}", "/find", "/api/v1/results"} <= {
        one["route"] for one in told
    }
    everything = " ".join(record.getMessage() for record in caplog.records)
    for secret in ("ACC1", "MRN", "DOE", "1.2.1", "scan-1", token, PASSWORD):
        assert secret not in everything


def test_who_sends_slowly_holds_up_nobody(hospital: Hospital) -> None:
    """A hundred that begin a request and say no more; the pages answer all the same."""
    listening = listen("127.0.0.1", free_port())
    port = listening.getsockname()[1]
    slow = []
    with serving(hospital.desk, listening):
        for _ in range(100):
            opened = socket.create_connection(("127.0.0.1", port), timeout=20)
            opened.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n")
            slow.append(opened)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as quick:
            quick.sendall(b"GET /alive HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert quick.recv(100).startswith(b"HTTP/1.1 204")
        for opened in slow:
            opened.close()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_the_service_opens_its_pages_and_tells_the_audit_log(
    settings: Callable[..., HospitalConfig],
) -> None:
    port = free_port()
    with opened(settings(web={"port": port})) as office:
        with open_pages(office) as address:
            assert address == f"http://127.0.0.1:{port}"
            answer = httpx.get(f"{address}/login")
            assert "server" not in answer.headers
            assert "Log in" in answer.text
        audit = Audit(office.database, office.root.key)
        assert [one.act.kind for one in audit.entries()] == [Kind.STOP, Kind.START]

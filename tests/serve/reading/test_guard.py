"""Who enters, what every response carries, and what another site may not send."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
from fastapi.testclient import TestClient
from httpx import Response

from hemocast.readers.study.folder import ANSWERS, Study
from hemocast.serve.reading.address import read_address
from hemocast.serve.reading.app import reading_app

SEND = {"X-Hemocast-Reading": "1"}
Visit = Callable[..., TestClient]
Whole = Callable[..., dict[str, object]]
Current = Callable[[TestClient], str]
Use = Callable[..., Response]


def test_without_a_link_there_is_nothing_but_the_closed_door(
    client: Visit, whole: Whole, study: Study
) -> None:
    stranger = client(study)
    assert stranger.get("/").status_code == 401
    assert "personal link" in stranger.get("/").text
    for path in ("/api/state", "/api/case/x", "/api/case/x/frames", "/api/case/x/series"):
        assert stranger.get(path).status_code == 401
    assert stranger.post("/api/case/x/answer", json=whole(), headers=SEND).status_code == 401
    for path in ("/docs", "/openapi.json", "/redoc", "/static", "/static/", "/r/", "/study.yaml"):
        assert stranger.get(path).status_code == 404


def test_a_link_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
    client: Visit, study: Study, use: Use
) -> None:
    token = study.store.new_token("R1")
    visitor = client(study)
    answer = use(visitor, token).history[0]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert token not in cookie
    assert token not in answer.text
    secure = TestClient(
        reading_app(study, read_address("https://room.org")), base_url="https://room.org"
    )
    given = use(secure, study.store.new_token("R1")).history[0].headers["set-cookie"]
    assert "Secure" in given
    assert "Max-Age=43200" in given
    given = use(secure, study.store.new_token("R1"), stay=True).history[0].headers["set-cookie"]
    assert "Max-Age=5184000" in given
    later = secure.get("/api/state").headers["set-cookie"]
    assert int(re.search(r"Max-Age=(\d+)", later)[1]) > 5_183_000  # reading on shortens nothing


def test_a_link_signs_in_once_and_looking_at_it_uses_nothing(
    client: Visit, study: Study, use: Use
) -> None:
    token = study.store.new_token("R1")
    for _ in range(3):  # previews, scanners of mail
        seen = client(study).get(f"/r/{token}")
        assert seen.status_code == 200
        assert "set-cookie" not in seen.headers
    mine = client(study)
    assert use(mine, token).status_code == 200
    later = client(study)  # who finds it in the history
    refused = use(later, token)
    assert refused.status_code == 410
    assert refused.json() == {
        "error": "This link was used already. Ask who leads the study for a new one."
    }
    assert later.get("/api/state").status_code == 401
    assert mine.get("/api/state").status_code == 200


def test_two_who_use_one_link_at_once_do_not_both_enter(
    client: Visit, study: Study, use: Use
) -> None:
    token = study.store.new_token("R1")
    with ThreadPoolExecutor(8) as pool:
        codes = sorted(
            one.status_code for one in pool.map(lambda _: use(client(study), token), range(8))
        )
    assert codes == [200] + [410] * 7


@pytest.mark.parametrize(
    "token", ["x", "a" * 43, "' OR 1=1 --", "%00", "..%2f..%2fstudy.yaml", "é" * 50, "x" * 5000]
)
def test_an_unknown_link_is_404_and_gives_nothing(
    client: Visit, study: Study, use: Use, token: str
) -> None:
    visitor = client(study)
    answer = use(visitor, token)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}
    assert not visitor.cookies


def test_wrong_links_are_held_back_and_right_ones_never(
    client: Visit, enter: Visit, study: Study, use: Use
) -> None:
    """All readers may come by one proxy: whoever guesses there must not shut them out."""
    before = enter(study, "R2")
    token = study.store.new_token("R1")
    guesser = client(study)
    assert [use(guesser, str(i)).status_code for i in range(12)] == [404] * 10 + [429] * 2
    assert use(client(study), token).status_code == 200
    assert before.get("/api/state").status_code == 200


def test_forged_and_outdated_cookies_are_refused(client: Visit, enter: Visit, study: Study) -> None:
    reader = enter(study)
    (name, good), *_ = reader.cookies.items()
    number, until, signature = good.strip('"').split(".")
    for bad in (
        f"{int(number) + 1}.{until}.{signature}",
        f"{number}.{int(until) + 999}.{signature}",
        f"{number}.{until}.{'0' * 32}",
        f"{number}.1.{study.store.sign(f'cookie:{number}.1')}",
        "..",
        "x" * 4000,
    ):
        stranger = client(study)
        stranger.cookies.set(name, bad)
        assert stranger.get("/api/state").status_code == 401
    study.store.new_token("R1")  # a newer link ends the sitting of the older one
    assert reader.get("/api/state").status_code == 401


def test_a_sitting_outlives_a_restart_of_the_server(
    client: Visit, study: Study, reader: TestClient
) -> None:
    again = client(study)
    again.cookies.update(reader.cookies)
    assert again.get("/api/state").json()["reader"] == "R1"


def test_another_host_name_is_refused(study: Study, reader: TestClient) -> None:
    assert reader.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_every_response_carries_the_security_headers(
    current: Current, study: Study, reader: TestClient
) -> None:
    key = current(reader)
    paths = ["/", "/api/state", f"/api/case/{key}", f"/api/case/{key}/frames", "/static/app.js"]
    for path in [*paths, "/nothing", "/r/wrong"]:
        headers = reader.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "last-modified" not in headers


@pytest.mark.parametrize(
    ("content", "more", "code"),
    [
        (b"{", {}, 422),
        (b"[]", {}, 422),
        (b"\xff\xfe", {}, 422),
        (b"[" * 100_000, {}, 422),
        (b" " * 1_100_000, {}, 413),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Origin": "https://evil.example"}, 403),
        (b"{}", {"Origin": "null"}, 403),
        (b"{}", {"Sec-Fetch-Site": "cross-site"}, 403),
        (b"{}", {"Sec-Fetch-Site": "same-site"}, 403),
    ],
    ids=str,
)
def test_what_is_no_answer_from_the_page_is_refused(
    current: Current,
    study: Study,
    reader: TestClient,
    content: bytes,
    more: dict[str, str],
    code: int,
) -> None:
    headers = SEND | {"Content-Type": "application/json"} | more
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=content, headers=headers)
    assert answer.status_code in (code, 400)
    assert study.store.answers() == []


@pytest.mark.parametrize(
    "address", ["https://room.org:443", "https://Room.org", "https://room.org"]
)
def test_the_origin_is_compared_as_browsers_send_it(
    whole: Whole,
    current: Current,
    study: Study,
    use: Use,
    address: str,
) -> None:
    room = TestClient(reading_app(study, read_address(address)), base_url="https://room.org")
    use(room, study.store.new_token("R1"))
    headers = SEND | {"Origin": "https://room.org"}
    path = f"/api/case/{current(room)}/answer"
    assert room.post(path, json=whole(), headers=headers).status_code == 200
    other = headers | {"Origin": "https://room.org:8443"}
    assert room.post(path, json=whole(), headers=other).status_code == 403


def test_without_the_pages_own_header_nothing_is_kept(
    whole: Whole,
    current: Current,
    study: Study,
    reader: TestClient,
) -> None:
    answer = reader.post(f"/api/case/{current(reader)}/answer", json=whole())
    assert answer.status_code == 403
    chunks = (part for part in (b"{}",))
    headers = SEND | {"Content-Type": "application/json"}
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=chunks, headers=headers)
    assert answer.status_code == 411
    assert study.store.answers() == []


@pytest.mark.parametrize(
    "fault",
    [
        ["DROP TABLE reader_answers", "DROP TABLE reader_tokens", "DROP TABLE reader_entries"],
        ["ALTER TABLE reader_tokens RENAME COLUMN study TO x"],
    ],
    ids=["gone", "altered"],
)
def test_a_database_that_fails_is_said_on_every_route_with_all_headers(
    current: Current, whole: Whole, study: Study, reader: TestClient, fault: list[str]
) -> None:
    case, token = f"/api/case/{current(reader)}", study.store.new_token("R2")
    with sqlite3.connect(study.images.folder.parent / ANSWERS) as database:
        for statement in fault:
            database.execute(statement)
    asked = [reader.get(path) for path in ("/", "/api/state", case, f"{case}/frames")]
    asked += [reader.get(f"{case}/series"), reader.get(f"{case}/heat")]
    asked.append(reader.post(f"{case}/answer", json=whole(), headers=SEND))
    asked.append(reader.post(f"/r/{token}", json={}, headers=SEND))
    for answer in asked:
        assert answer.status_code == 503
        assert answer.json()["error"].endswith("Try again, and tell who leads the study.")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    assert reader.get("/static/reading.css").status_code == 200


def test_what_nobody_foresaw_is_a_sentence_with_headers_too(
    study: Study, reader: TestClient, whole: Whole, current: Current
) -> None:
    key = current(reader)
    with sqlite3.connect(study.images.folder.parent / ANSWERS) as database:
        names = "study, answer_id, reader_id, arm, 'order', repeat, participant_id, scan_id"
        names = names.replace("'", '"') + ", regions, seconds, final, read_at, design_hash"
        row = (study.design.name, "a", "R1", "unaided", 1, 0, "p", "s", "[]", 1, 1, "never", "h")
        marks = ",".join("?" * len(row))
        database.execute(f"INSERT INTO reader_answers ({names}) VALUES ({marks})", row)  # noqa: S608
    for path in ("/api/state", f"/api/case/{key}"):
        answer = reader.get(path)
        assert answer.status_code == 503
        assert "tell who leads" in answer.json()["error"]
        assert answer.headers["x-content-type-options"] == "nosniff"

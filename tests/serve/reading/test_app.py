"""The reading room's server: who enters, what leaves, what is kept, and what is refused."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
from fastapi.testclient import TestClient

from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import AIR, PIXEL_MM, SIZE
from hemocast.serve.reading.app import reading_app

ADDRESS = "http://127.0.0.1:8765"
SEND = {"X-Hemocast-Reading": "1"}


def client(study: Study) -> TestClient:
    return TestClient(reading_app(study, ADDRESS), base_url=ADDRESS, raise_server_exceptions=False)


def enter(study: Study, reader: str = "R1") -> TestClient:
    made = client(study)
    assert made.get(f"/r/{study.store.new_token(reader)}").status_code == 200
    return made


def whole(**more: object) -> dict[str, object]:
    return {
        "answer_id": str(uuid4()),
        "probability": 0.4,
        "decision": 0,
        "confidence": 2,
        "regions": [],
        "seconds": 3.5,
        "final": True,
    } | more


def current(reader: TestClient) -> str:
    return str(reader.get("/api/state").json()["current"])


@pytest.fixture
def study(new_study: Callable[..., Study]) -> Study:
    return new_study()


@pytest.fixture
def reader(study: Study) -> Iterator[TestClient]:
    with enter(study) as made:
        yield made


# ---- entering


def test_without_a_link_there_is_nothing_but_the_closed_door(study: Study) -> None:
    stranger = client(study)
    assert stranger.get("/").status_code == 401
    assert "personal link" in stranger.get("/").text
    for path in ("/api/state", "/api/case/x", "/api/case/x/frames", "/api/case/x/series"):
        assert stranger.get(path).status_code == 401
    assert stranger.post("/api/case/x/answer", json=whole(), headers=SEND).status_code == 401
    for path in ("/docs", "/openapi.json", "/redoc", "/static", "/static/", "/r/", "/study.yaml"):
        assert stranger.get(path).status_code == 404


def test_a_link_gives_a_cookie_that_scripts_and_other_sites_cannot_use(study: Study) -> None:
    token = study.store.new_token("R1")
    answer = client(study).get(f"/r/{token}")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert token not in cookie
    assert token not in answer.text
    secure = TestClient(reading_app(study, "https://room.org"), base_url="https://room.org")
    assert "Secure" in secure.get(f"/r/{token}").headers["set-cookie"]


@pytest.mark.parametrize(
    "token", ["x", "a" * 43, "' OR 1=1 --", "%00", "..%2f..%2fstudy.yaml", "é" * 50, "x" * 5000]
)
def test_an_unknown_link_is_404_without_detail(study: Study, token: str) -> None:
    answer = client(study).get(f"/r/{token}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_guessing_links_is_slowed_down(study: Study) -> None:
    guesser = client(study)
    codes = [guesser.get(f"/r/{i}").status_code for i in range(12)]
    assert codes == [404] * 10 + [429] * 2


def test_forged_and_outdated_cookies_are_refused(study: Study) -> None:
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


def test_a_sitting_outlives_a_restart_of_the_server(study: Study, reader: TestClient) -> None:
    again = client(study)
    again.cookies.update(reader.cookies)
    assert again.get("/api/state").json()["reader"] == "R1"


def test_another_host_name_is_refused(study: Study, reader: TestClient) -> None:
    assert reader.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_every_response_carries_the_security_headers(study: Study, reader: TestClient) -> None:
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


def test_pages_hold_no_script_or_style_inside_and_load_from_here_alone(reader: TestClient) -> None:
    for path in ("/", "/static/enter.html", "/static/closed.html"):
        page = reader.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", page)


@pytest.mark.parametrize(
    "path", ["../../reading.py", "..%2f..%2freading.py", "%2e%2e/%2e%2e/reading.py", "/etc/passwd"]
)
def test_nothing_outside_the_pages_can_be_fetched(reader: TestClient, path: str) -> None:
    assert reader.get(f"/static/{path}").status_code == 404


# ---- reading


def test_frames_are_the_models_frames_with_the_skull_in_hounsfield_units(
    reader: TestClient,
) -> None:
    answer = reader.get(f"/api/case/{current(reader)}/frames")
    assert answer.headers["x-shape"] == f"28,{SIZE},{SIZE}"
    hu = np.frombuffer(answer.content, "<i2").reshape(28, SIZE, SIZE)
    assert hu.min() == AIR
    assert hu.max() > 700
    middle = hu[14, 150:170, 60:100]
    assert 20 < np.median(middle) < 45


def test_the_full_series_is_the_scan_as_it_lies_in_the_dataset(
    study: Study, reader: TestClient
) -> None:
    from hemocast.dicom import read_nifti

    answer = reader.get(f"/api/case/{current(reader)}/series")
    shape = tuple(map(int, answer.headers["x-shape"].split(",")))
    shown = study.design.presentations("R1")[0]
    volume = read_nifti(study.scans[shown.case.scan_id])
    np.testing.assert_array_equal(
        np.frombuffer(answer.content, "<i2").reshape(shape), np.clip(volume.hu, AIR, 3071)
    )
    spacing = [float(text) for text in answer.headers["x-spacing"].split(",")]
    assert spacing == pytest.approx(volume.spacing, rel=1e-4)
    levels = np.array(answer.headers["x-levels"].split(","), float)
    np.testing.assert_allclose(np.diff(levels), 1, atol=0.05)  # frames of 5 mm, slices of 5 mm
    # The same height in both views: the same area of head, within the nod's few percent.
    area = (volume.hu > -300).sum((1, 2)) * volume.spacing[1] * volume.spacing[2]
    pixels = reader.get(f"/api/case/{current(reader)}/frames").content
    frames = np.frombuffer(pixels, "<i2").reshape(28, SIZE, SIZE)
    ours = (frames > -300).sum((1, 2)) * PIXEL_MM**2
    expected = np.interp(levels, np.arange(len(area)), area)
    np.testing.assert_allclose(ours[8:22], expected[8:22], rtol=0.06)


def test_drafts_come_back_after_a_reload_and_a_submission_moves_on(
    study: Study, reader: TestClient
) -> None:
    key = current(reader)
    mark = {"view": "frames", "slice": 3, "shape": "box", "points": [[1, 2], [30.5, 40]]}
    draft = whole(final=False, confidence=None, regions=[mark])
    assert reader.post(f"/api/case/{key}/answer", json=draft, headers=SEND).status_code == 200
    assert current(reader) == key
    case = reader.get(f"/api/case/{key}").json()
    assert case["answer"]["probability"] == 0.4
    assert case["answer"]["regions"] == [mark | {"radius": 0}]
    assert case["seconds"] == 3.5
    reader.post(f"/api/case/{key}/answer", json=whole(), headers=SEND)
    after = reader.get("/api/state").json()
    assert (after["done"], after["total"]) == (1, 10)
    assert after["current"] not in (key, None)
    assert reader.get(f"/api/case/{after['current']}").json()["previous"] == key


def test_what_comes_later_does_not_exist_yet(study: Study, reader: TestClient) -> None:
    later = study.design.presentations("R1")[1]
    key = study.store.sign(f"case:{later.reader_id}/{later.arm}/{later.order}")
    for path in ("", "/frames", "/series", "/heat"):
        assert reader.get(f"/api/case/{key}{path}").status_code == 404
    answer = reader.post(f"/api/case/{key}/answer", json=whole(), headers=SEND)
    assert answer.status_code == 404
    assert study.store.answers() == []


def test_two_readers_know_nothing_of_each_other(study: Study) -> None:
    first, second = enter(study, "R1"), enter(study, "R2")
    key = current(first)
    assert key != current(second)
    assert second.get(f"/api/case/{key}").status_code == 404
    assert second.get(f"/api/case/{key}/frames").status_code == 404
    assert second.post(f"/api/case/{key}/answer", json=whole(), headers=SEND).status_code == 404
    first.post(f"/api/case/{key}/answer", json=whole(), headers=SEND)
    assert second.get("/api/state").json()["done"] == 0
    assert {kept.reader_id for kept in study.store.answers()} == {"R1"}


def test_the_second_reading_of_a_case_has_another_address(new_study: Callable[..., Study]) -> None:
    study = new_study(repeats=0.5)
    shown = study.design.presentations("R1")
    assert len(shown) == 15
    signed = {study.store.sign(f"case:R1/{p.arm}/{p.order}") for p in shown}
    assert len(signed) == 15


def test_the_models_result_is_in_the_aided_arm_alone(new_study: Callable[..., Study]) -> None:
    study = new_study(aided=True, readers=("A", "B"))
    (aided,) = (r for r in study.design.readers if study.design.arm_order(r)[0] == "aided")
    (unaided,) = {"A", "B"} - {aided}
    with_model, without = enter(study, aided), enter(study, unaided)
    key = current(with_model)
    model = with_model.get(f"/api/case/{key}").json()["model"]
    scan = study.design.presentations(aided)[0].case.scan_id
    assert model["probability"] == study.design.model.probabilities[scan]
    assert model["threshold"] == 0.5
    assert model["simulated"] is True
    heat = with_model.get(f"/api/case/{key}/heat")
    levels = np.frombuffer(heat.content, np.uint8).reshape(
        tuple(map(int, heat.headers["x-shape"].split(",")))
    )
    assert levels.max() == 255
    assert float(heat.headers["x-top"]) == pytest.approx(2.5, abs=0.01)
    # The evidence lies where the results' heatmap says: the patient's left, at the picture's right.
    assert levels[:, :, 80:].sum() > 5 * levels[:, :, :80].sum()
    key = current(without)
    assert without.get(f"/api/case/{key}").json()["model"] is None
    assert without.get(f"/api/case/{key}/heat").status_code == 404


def test_a_washout_keeps_the_second_arm_closed(new_study: Callable[..., Study]) -> None:
    study = new_study(aided=True, washout_days=28.0)
    reader = enter(study)
    for _ in range(10):
        reader.post(f"/api/case/{current(reader)}/answer", json=whole(), headers=SEND)
    state = reader.get("/api/state").json()
    assert (state["phase"], state["current"]) == ("washout", None)
    second = study.design.presentations("R1")[10]
    key = study.store.sign(f"case:R1/{second.arm}/{second.order}")
    assert reader.get(f"/api/case/{key}").status_code == 404
    assert reader.get(f"/api/case/{state['last']}").status_code == 200


# ---- answers that must not be kept

BAD = [
    {"probability": 1.0001},
    {"probability": -0.1},
    {"probability": "0.5"},
    {"probability": float("nan")},
    {"probability": float("inf")},
    {"probability": None},
    {"decision": 2},
    {"decision": True},
    {"decision": None},
    {"confidence": 0},
    {"confidence": 6},
    {"confidence": 2.5},
    {"seconds": -1},
    {"seconds": 1e9},
    {"final": 1},
    {"answer_id": "x"},
    {"answer_id": "'; DROP TABLE reader_answers; ----"},
    {"scan_id": "sub-1_ses-01"},
    {"reader_id": "R2"},
    {"regions": [{"view": "frames", "slice": 0, "shape": "box", "points": [[1, 2]]}]},
    {"regions": [{"view": "frames", "slice": -1, "shape": "box", "points": [[1, 2], [3, 4]]}]},
    {"regions": [{"view": "x", "slice": 0, "shape": "box", "points": [[1, 2], [3, 4]]}]},
    {"regions": [{"view": "frames", "slice": 0, "shape": "box", "points": [[1, 2, 3], [3, 4]]}]},
    {"regions": [{"view": "frames", "slice": 0, "shape": "box", "points": [["<b>", 2], [3, 4]]}]},
    {"regions": [{"view": "frames", "slice": 0, "shape": "brush", "points": [[1, 2]]}] * 201},
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_malformed_answer_is_refused_and_not_kept(
    study: Study, reader: TestClient, bad: dict[str, object]
) -> None:
    body = json.dumps(whole(**bad))
    headers = SEND | {"Content-Type": "application/json"}
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=body, headers=headers)
    assert answer.status_code == 422
    assert study.store.answers() == []


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
    study: Study, reader: TestClient, content: bytes, more: dict[str, str], code: int
) -> None:
    headers = SEND | {"Content-Type": "application/json"} | more
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=content, headers=headers)
    assert answer.status_code in (code, 400)
    assert study.store.answers() == []


@pytest.mark.parametrize(
    "address", ["https://room.org:443", "https://Room.org", "https://room.org"]
)
def test_the_origin_is_compared_as_browsers_send_it(study: Study, address: str) -> None:
    room = TestClient(reading_app(study, address), base_url="https://room.org")
    room.get(f"/r/{study.store.new_token('R1')}")
    headers = SEND | {"Origin": "https://room.org"}
    path = f"/api/case/{current(room)}/answer"
    assert room.post(path, json=whole(), headers=headers).status_code == 200
    other = headers | {"Origin": "https://room.org:8443"}
    assert room.post(path, json=whole(), headers=other).status_code == 403


def test_as_many_strokes_as_anybody_draws_are_kept(study: Study, reader: TestClient) -> None:
    stroke = {"view": "frames", "slice": 3, "shape": "brush", "points": [[319.99, 219.99]] * 300}
    body = json.dumps(whole(regions=[stroke] * 200), separators=(",", ":"))
    headers = SEND | {"Content-Type": "application/json"}
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=body, headers=headers)
    assert answer.status_code == 200
    assert len(json.loads(study.store.answers()[0].answer.regions)) == 200


def test_without_the_pages_own_header_nothing_is_kept(study: Study, reader: TestClient) -> None:
    answer = reader.post(f"/api/case/{current(reader)}/answer", json=whole())
    assert answer.status_code == 403
    chunks = (part for part in (b"{}",))
    headers = SEND | {"Content-Type": "application/json"}
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=chunks, headers=headers)
    assert answer.status_code == 411
    assert study.store.answers() == []


@pytest.mark.parametrize("key", ["x", "' OR 1=1 --", "..%2f..", "%00", "0" * 32])
def test_an_address_that_is_none_is_404(reader: TestClient, key: str) -> None:
    for path in ("", "/frames", "/series"):
        assert reader.get(f"/api/case/{key}{path}").status_code == 404


def test_an_answer_sent_twice_is_kept_once(study: Study, reader: TestClient) -> None:
    key, body = current(reader), whole(final=False)
    codes = {
        reader.post(f"/api/case/{key}/answer", json=body, headers=SEND).status_code
        for _ in range(3)
    }
    assert codes == {200}
    assert len(study.store.answers()) == 1
    other = reader.post(f"/api/case/{key}/answer", json=body | {"probability": 0.9}, headers=SEND)
    assert other.status_code == 503
    assert len(study.store.answers()) == 1


def test_many_answers_at_once_are_all_kept(study: Study) -> None:
    readers = [enter(study, name) for name in study.design.readers]
    jobs = [(one, current(one), whole(final=False)) for one in readers for _ in range(20)]

    def send(job: tuple[TestClient, str, dict[str, object]]) -> int:
        one, key, body = job
        return one.post(f"/api/case/{key}/answer", json=body, headers=SEND).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, jobs)) == {200}
    assert len(study.store.answers()) == 40


# ---- blinding


def test_nothing_that_leaves_the_server_tells_who_or_what(
    new_study: Callable[..., Study], participants: list[str]
) -> None:
    study = new_study(aided=True, repeats=0.2)
    told: list[bytes] = []
    for name in study.design.readers:
        reader = enter(study, name)
        while (state := reader.get("/api/state").json())["current"]:
            key = state["current"]
            few = ("", "/frames", "/series", "/heat") if state["done"] == 0 else ("",)
            for path in few:
                answer = reader.get(f"/api/case/{key}{path}")
                told += [str(answer.url).encode(), answer.content, repr(answer.headers).encode()]
            reader.post(f"/api/case/{key}/answer", json=whole(), headers=SEND)
            told.append(json.dumps(state).encode())
    texts = b"\n".join(part for part in told if len(part) < 20_000).lower()
    for i, participant in enumerate(participants):
        assert f"4{i}.125".encode() not in texts
        assert not any(participant[4:].encode() in part for part in told)
    for word in (b"label", b"nihss", b"participant", b"scan_id", b"ses-01", b".nii", b"uid"):
        assert word not in texts


def test_pictures_say_nothing_but_pixels(reader: TestClient) -> None:
    """The gzip header could carry a file's name and time."""
    with reader.stream("GET", f"/api/case/{current(reader)}/frames") as answer:
        raw = b"".join(answer.iter_raw())
    assert raw[:2] == b"\x1f\x8b"
    assert raw[3] == 0  # no name, no comment
    assert raw[4:8] == bytes(4)  # no time
    assert len(gzip.decompress(raw)) == 28 * SIZE * SIZE * 2

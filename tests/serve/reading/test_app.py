"""The reading room's server: its pages, pictures, and answers that arrive twice or at once."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
from fastapi.testclient import TestClient

from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import SIZE
from hemocast.report.pictures.frames import BRAIN_WINDOW
from hemocast.serve.reading.app import STATIC

SEND = {"X-Hemocast-Reading": "1"}
Visit = Callable[..., TestClient]
Whole = Callable[..., dict[str, object]]
Current = Callable[[TestClient], str]


def test_pages_hold_no_script_or_style_inside_and_load_from_here_alone(
    reader: TestClient, html_faults: Callable[[str], list[str]]
) -> None:
    for path in ("/", "/static/enter.html", "/static/closed.html"):
        page = reader.get(path).text
        assert html_faults(page) == []
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", page)


@pytest.mark.parametrize(
    "path", ["../../reading.py", "..%2f..%2freading.py", "%2e%2e/%2e%2e/reading.py", "/etc/passwd"]
)
def test_nothing_outside_the_pages_can_be_fetched(reader: TestClient, path: str) -> None:
    assert reader.get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize("key", ["x", "' OR 1=1 --", "..%2f..", "%00", "0" * 32])
def test_an_address_that_is_none_is_404(reader: TestClient, key: str) -> None:
    for path in ("", "/frames", "/series"):
        assert reader.get(f"/api/case/{key}{path}").status_code == 404


def test_an_answer_sent_twice_is_kept_once(
    whole: Whole,
    current: Current,
    study: Study,
    reader: TestClient,
) -> None:
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


def test_many_answers_at_once_are_all_kept(
    enter: Visit,
    whole: Whole,
    current: Current,
    study: Study,
) -> None:
    readers = [enter(study, name) for name in study.design.readers]
    jobs = [(one, current(one), whole(final=False)) for one in readers for _ in range(20)]

    def send(job: tuple[TestClient, str, dict[str, object]]) -> int:
        one, key, body = job
        return one.post(f"/api/case/{key}/answer", json=body, headers=SEND).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, jobs)) == {200}
    assert len(study.store.answers()) == 40


def test_pictures_say_nothing_but_pixels(current: Current, reader: TestClient) -> None:
    """The gzip header could carry a file's name and time."""
    with reader.stream("GET", f"/api/case/{current(reader)}/frames") as answer:
        raw = b"".join(answer.iter_raw())
    assert raw[:2] == b"\x1f\x8b"
    assert raw[3] == 0  # no name, no comment
    assert raw[4:8] == bytes(4)  # no time
    assert len(gzip.decompress(raw)) == 28 * SIZE * SIZE * 2


@pytest.mark.parametrize("path", ["/frames", "/series"])
def test_a_picture_that_went_away_is_said_and_costs_no_other(
    study: Study, reader: TestClient, current: Current, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = current(reader)
    scan_id = study.design.reading_list("R1")[0].scan_id
    gone = {"/series": study.scans[scan_id]}.get(path)
    hidden = [gone] if gone else [p for p in study.images.folder.iterdir() if "frames" in p.name]
    for file in hidden:
        file.rename(file.with_name(file.name + ".hidden"))
    try:
        answer = reader.get(f"/api/case/{key}{path}")
    finally:
        for file in hidden:
            file.with_name(file.name + ".hidden").rename(file)
    assert answer.status_code == 503
    assert "could not be shown" in answer.json()["error"]
    assert scan_id not in caplog.text
    assert reader.get(f"/api/case/{key}{path}").status_code == 200


def test_the_room_opens_with_the_window_of_every_picture_of_ours() -> None:
    script = (STATIC / "viewer.js").read_text()
    first = re.search(r"PRESETS = \[\s*{.*?width: (\d+), level: (\d+)", script)
    width, level = map(int, first.groups())
    assert (level - width / 2, level + width / 2) == BRAIN_WINDOW

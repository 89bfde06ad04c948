"""The outermost layer, on applications that misbehave. The rest of it: `test_app.py`."""

from __future__ import annotations

import logging

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from hemocast.errors import StoreError
from hemocast.serve.hospital.web.guard import Guard

from .conftest import ORIGIN


@pytest.fixture
def visitor() -> TestClient:
    """Somebody before an application that fails, and one that reads all that comes."""
    app = FastAPI()

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("DOE^JANE")

    @app.get("/away")
    def away() -> None:
        raise StoreError("The database is away", "one that runs", "Start it")

    @app.post("/reads")
    async def reads(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(Guard, origin=ORIGIN, most_bytes=lambda _: 1000)
    return TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN})


@pytest.mark.parametrize(("path", "code"), [("/fails", "HC999"), ("/away", "HC404")])
def test_a_failure_tells_outside_nothing_and_the_log_its_code(
    visitor: TestClient, caplog: pytest.LogCaptureFixture, path: str, code: str
) -> None:
    with caplog.at_level(logging.ERROR, "hemocast"):
        answer = visitor.get(path)
    assert (answer.status_code, answer.text) == (503, "It could not be done. Try again.")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert code in caplog.text
    assert "DOE" not in caplog.text


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "\u00b2"])
def test_a_length_that_is_none_is_refused(visitor: TestClient, length: str) -> None:
    answer = visitor.post("/reads", headers={"Content-Length": length.encode("latin-1")})
    assert answer.status_code == 413


def test_a_body_is_read_up_to_its_limit(visitor: TestClient) -> None:
    assert visitor.post("/reads", content=b"x" * 1000).json() == 1000
    assert visitor.post("/reads", content=b"x" * 1001).status_code == 413
    assert visitor.post("/reads", content=iter([b"x" * 600] * 2)).status_code == 413

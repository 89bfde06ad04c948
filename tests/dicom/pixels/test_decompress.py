"""The decoding process as whoever starts it sees it: messages in, messages out, nothing else."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.pixels import decompress
from hemocast.dicom.pixels.decompress import Compressed, ask, receive, send

HOW = Compressed("1.2.840.10008.1.2.4.80", "pyjpegls", 8, 8, 16, 12, False)


def run(requests: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", decompress.__file__]
    return subprocess.run(command, input=requests, capture_output=True, timeout=60)


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.binary())
def test_what_is_sent_is_received(header: dict[str, object], content: bytes) -> None:
    stream = io.BytesIO()
    send(stream, header, content)
    send(stream, {"next": 1}, b"x")
    stream.seek(0)
    assert receive(stream) == (header, content)
    assert receive(stream) == ({"next": 1}, b"x")
    assert receive(stream) is None


@pytest.mark.parametrize("kept", [0, 3, 8, 20, -1])
def test_a_message_cut_short_is_none(kept: int) -> None:
    stream = io.BytesIO()
    send(stream, {"a": "b" * 20}, b"content")
    assert receive(io.BytesIO(stream.getvalue()[:kept])) is None


def test_it_answers_every_request_and_ends_with_its_input() -> None:
    requests = io.BytesIO()
    for _ in range(2):
        ask(requests, HOW, b"no stream")
    send(requests, {"not": "a layout"}, b"")
    done = run(requests.getvalue())
    answers = io.BytesIO(done.stdout)
    found = [receive(answers) for _ in range(3)]
    assert all(answer is not None and "error" in answer[0] for answer in found)
    assert found[2] == ({"error": "TypeError"}, b"")
    assert receive(answers) is None
    assert done.returncode == 0


def test_half_a_request_ends_it_without_an_answer() -> None:
    requests = io.BytesIO()
    ask(requests, HOW, b"no stream")
    done = run(requests.getvalue()[:-3])
    assert (done.returncode, done.stdout) == (0, b"")

"""Answers that must not be kept, and the longest that must."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
from fastapi.testclient import TestClient

from hemocast.readers.study.folder import Study

SEND = {"X-Hemocast-Reading": "1"}
Whole = Callable[..., dict[str, object]]
Current = Callable[[TestClient], str]


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
    whole: Whole,
    current: Current,
    study: Study,
    reader: TestClient,
    bad: dict[str, object],
) -> None:
    body = json.dumps(whole(**bad))
    headers = SEND | {"Content-Type": "application/json"}
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=body, headers=headers)
    assert answer.status_code == 422
    assert study.store.answers() == []


def test_as_many_strokes_as_anybody_draws_are_kept(
    whole: Whole,
    current: Current,
    study: Study,
    reader: TestClient,
) -> None:
    stroke = {"view": "frames", "slice": 3, "shape": "brush", "points": [[319.99, 219.99]] * 300}
    body = json.dumps(whole(regions=[stroke] * 200), separators=(",", ":"))
    headers = SEND | {"Content-Type": "application/json"}
    answer = reader.post(f"/api/case/{current(reader)}/answer", content=body, headers=headers)
    assert answer.status_code == 200
    assert len(json.loads(study.store.answers()[0].answer.regions)) == 200

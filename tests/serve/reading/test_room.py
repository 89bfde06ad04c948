"""What a reader sees and may say, and what never leaves the server."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
from fastapi.testclient import TestClient

from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import AIR, PIXEL_MM, SIZE

SEND = {"X-Hemocast-Reading": "1"}
Visit = Callable[..., TestClient]
Whole = Callable[..., dict[str, object]]
Current = Callable[[TestClient], str]


def test_frames_are_the_models_frames_with_the_skull_in_hounsfield_units(
    current: Current,
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
    current: Current, study: Study, reader: TestClient
) -> None:
    from hemocast.dicom import read_nifti

    answer = reader.get(f"/api/case/{current(reader)}/series")
    shape = tuple(map(int, answer.headers["x-shape"].split(",")))
    shown = study.design.reading_list("R1")[0]
    volume = read_nifti(study.scans[shown.scan_id])
    np.testing.assert_array_equal(
        np.frombuffer(answer.content, "<i2").reshape(shape), np.clip(volume.hu, AIR, 3071)
    )
    spacing = [float(text) for text in answer.headers["x-spacing"].split(",")]
    assert spacing == pytest.approx(volume.spacing, rel=1e-4)
    slices = np.array(answer.headers["x-frame-slices"].split(","), float)
    np.testing.assert_allclose(np.diff(slices), 1, atol=0.05)  # frames of 5 mm, slices of 5 mm
    # The same height in both views: the same area of head, within the nod's few percent.
    area = (volume.hu > -300).sum((1, 2)) * volume.spacing[1] * volume.spacing[2]
    pixels = reader.get(f"/api/case/{current(reader)}/frames").content
    frames = np.frombuffer(pixels, "<i2").reshape(28, SIZE, SIZE)
    ours = (frames > -300).sum((1, 2)) * PIXEL_MM**2
    expected = np.interp(slices, np.arange(len(area)), area)
    np.testing.assert_allclose(ours[8:22], expected[8:22], rtol=0.06)


def test_drafts_come_back_after_a_reload_and_a_submission_moves_on(
    whole: Whole,
    current: Current,
    study: Study,
    reader: TestClient,
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


def test_what_comes_later_does_not_exist_yet(
    whole: Whole, study: Study, reader: TestClient
) -> None:
    later = study.design.reading_list("R1")[1]
    key = study.store.sign(f"case:{later.reader_id}/{later.arm}/{later.order}")
    for path in ("", "/frames", "/series", "/heat"):
        assert reader.get(f"/api/case/{key}{path}").status_code == 404
    answer = reader.post(f"/api/case/{key}/answer", json=whole(), headers=SEND)
    assert answer.status_code == 404
    assert study.store.answers() == []


def test_two_readers_know_nothing_of_each_other(
    enter: Visit,
    whole: Whole,
    current: Current,
    study: Study,
) -> None:
    first, second = enter(study, "R1"), enter(study, "R2")
    key = current(first)
    assert key != current(second)
    assert second.get(f"/api/case/{key}").status_code == 404
    assert second.get(f"/api/case/{key}/frames").status_code == 404
    assert second.post(f"/api/case/{key}/answer", json=whole(), headers=SEND).status_code == 404
    first.post(f"/api/case/{key}/answer", json=whole(), headers=SEND)
    assert second.get("/api/state").json()["done"] == 0
    assert {kept.reading.reader_id for kept in study.store.answers()} == {"R1"}


def test_the_second_reading_of_a_case_has_another_address(new_study: Callable[..., Study]) -> None:
    study = new_study(repeats=0.5)
    shown = study.design.reading_list("R1")
    assert len(shown) == 15
    signed = {study.store.sign(f"case:R1/{p.arm}/{p.order}") for p in shown}
    assert len(signed) == 15


def test_the_models_result_is_in_the_aided_arm_alone(
    enter: Visit,
    current: Current,
    new_study: Callable[..., Study],
) -> None:
    study = new_study(aided=True, readers=("A", "B"))
    (aided,) = (r for r in study.design.readers if study.design.arm_order(r)[0] == "aided")
    (unaided,) = {"A", "B"} - {aided}
    with_model, without = enter(study, aided), enter(study, unaided)
    key = current(with_model)
    model = with_model.get(f"/api/case/{key}").json()["model"]
    scan = study.design.reading_list(aided)[0].scan_id
    assert model["probability"] == study.design.model.probabilities[scan]
    assert model["threshold"] == 0.5
    assert model["simulated"] is True
    heat = with_model.get(f"/api/case/{key}/heat")
    shades = np.frombuffer(heat.content, np.uint8).reshape(
        tuple(map(int, heat.headers["x-shape"].split(",")))
    )
    assert shades.max() == 255
    assert float(heat.headers["x-top"]) == 0.02
    # The evidence lies where the results' heatmap says: the patient's left, at the picture's right.
    assert shades[:, :, 80:].sum() > 5 * shades[:, :, :80].sum()
    key = current(without)
    assert without.get(f"/api/case/{key}").json()["model"] is None
    assert without.get(f"/api/case/{key}/heat").status_code == 404


def test_a_washout_keeps_the_second_arm_closed(
    enter: Visit,
    whole: Whole,
    current: Current,
    new_study: Callable[..., Study],
) -> None:
    study = new_study(aided=True, washout_days=28.0)
    reader = enter(study)
    for _ in range(10):
        reader.post(f"/api/case/{current(reader)}/answer", json=whole(), headers=SEND)
    state = reader.get("/api/state").json()
    assert (state["phase"], state["current"]) == ("washout", None)
    second = study.design.reading_list("R1")[10]
    key = study.store.sign(f"case:R1/{second.arm}/{second.order}")
    assert reader.get(f"/api/case/{key}").status_code == 404
    assert reader.get(f"/api/case/{state['last']}").status_code == 200


def test_nothing_that_leaves_the_server_tells_who_or_what(
    enter: Visit,
    whole: Whole,
    new_study: Callable[..., Study],
    participants: list[str],
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

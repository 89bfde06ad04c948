import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemocast.errors import NotWritable
from hemocast.model.heatmap import NO_PLACES
from hemocast.report import write_montage
from hemocast.report.pictures.montage import draw_montage
from hemocast.volume import Stack


def reddish(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return (pixels[..., 0] - pixels[..., 2]) > 60


def test_a_picture_to_look_at(prediction, artefacts: Path) -> None:
    path = artefacts / "montage.png"
    write_montage(prediction, path)
    with Image.open(path) as image:
        assert image.width > image.height > 600


def test_the_patients_left_stays_at_the_right_of_the_picture(prediction) -> None:
    # The heatmap of the stand-in lies in the left hemisphere, at high x.
    image = draw_montage(prediction)
    hot = reddish(image.crop((10, 66, image.width - 10, image.height - 34)))
    tile = (image.width - 20) / 7
    left_half = ((np.flatnonzero(hot.any(axis=0)) % tile) < tile * 0.45).mean()
    assert hot.sum() > 1000
    assert left_half < 0.02


def test_the_notice_is_burned_in(prediction) -> None:
    with_notice = draw_montage(replace(prediction, notice="SIMULATED"))
    without = draw_montage(replace(prediction, notice=""))
    foot = (0, with_notice.height - 30, with_notice.width, with_notice.height)
    assert with_notice.crop(foot).tobytes() != without.crop(foot).tobytes()
    assert reddish(without.crop(foot)).sum() > 200  # "For research only" stands there anyway


def test_a_long_notice_still_fits(prediction) -> None:
    image = draw_montage(replace(prediction, notice="very " * 40 + "long"))
    ink = reddish(image.crop((0, image.height - 30, image.width, image.height)))
    assert not ink[:, :5].any()
    assert not ink[:, -5:].any()


def test_no_evidence_leaves_the_scan_alone(prediction) -> None:
    image = draw_montage(replace(prediction, heatmap=np.full_like(prediction.heatmap, -1)))
    assert not reddish(image.crop((10, 66, image.width - 10, image.height - 34))).any()


def test_padded_frames_differ_from_black_ones(prediction, new_stack: Callable[..., Stack]) -> None:
    nothing = np.zeros_like(prediction.heatmap)
    image = draw_montage(replace(prediction, stack=new_stack(top=2), heatmap=nothing))
    corner = np.asarray(image)[-34 - 40 : -34 - 10, -60:-20]
    assert corner.max() > 10


def test_shapes_must_agree(prediction, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="heatmap"):
        write_montage(replace(prediction, heatmap=prediction.heatmap[:, :4]), tmp_path / "m.png")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing_behind(prediction, tmp_path: Path) -> None:
    target = tmp_path / "m.png"
    target.mkdir()
    with pytest.raises(NotWritable):
        write_montage(prediction, target)
    assert list(tmp_path.iterdir()) == [target]


def test_quick_enough_for_a_prediction(prediction, tmp_path: Path) -> None:
    times = []
    for _ in range(3):
        start = time.process_time()
        write_montage(prediction, tmp_path / "m.png")
        times.append(time.process_time() - start)
    assert min(times) < 0.25  # 0.1 s of processor time


def test_another_number_of_frames(prediction, stack: Stack) -> None:
    record = replace(stack.record, frames_padded_top=0)
    fewer = Stack(stack.frames[:10], stack.brain[:10], stack.affine, record)
    image = draw_montage(replace(prediction, stack=fewer, heatmap=prediction.heatmap[:10]))
    assert image.height < 600


def test_no_side_is_named_where_left_and_right_are_not_known(prediction, stack: Stack) -> None:
    def corners(known: bool) -> list[int]:
        record = replace(stack.record, sides_known=known)
        lit = replace(prediction, stack=replace(stack, record=record))
        image = np.asarray(draw_montage(lit).convert("L"))
        tile = (image.shape[1] - 20) // 7
        # Where R and L stand over the fourth frame; its number and height are in the middle.
        label = image[66:84, 10 + 3 * tile : 10 + 4 * tile]
        return [int(label[:, :20].max()), int(label[:, -20:].max()), int(label.max())]

    assert min(corners(known=True)) > 100
    right, left, number = corners(known=False)
    assert (right, left) == (0, 0)
    assert number > 100


def test_a_model_that_measures_has_no_scale(prediction, stack: Stack) -> None:
    nowhere = np.zeros(stack.frames.shape, dtype=np.float32)
    plain = replace(prediction, heatmap=nowhere, heatmap_kind=NO_PLACES)
    empty = replace(prediction, heatmap=nowhere)
    heads = [np.asarray(draw_montage(one))[:66] for one in (plain, empty)]
    right = heads[0].shape[1] // 2
    assert not heads[0][:, right:].any()
    assert heads[1][:, right:].any()

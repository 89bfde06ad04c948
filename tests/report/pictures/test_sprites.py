import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from hemocast.report.pictures.sprites import make_picture, outline
from hemocast.volume import Stack


@given(arrays(bool, (6, 7)))
def test_an_outline_follows_every_side_between_inside_and_outside(mask: np.ndarray) -> None:
    edged = np.pad(mask, 1).astype(int)
    sides = np.abs(np.diff(edged, axis=0)).sum() + np.abs(np.diff(edged, axis=1)).sum()
    drawn = [
        (int(x), int(y), step, int(length))
        for x, y, step, length in re.findall(r"M(\d+) (\d+)([hv])(\d+)", outline(mask))
    ]
    assert sum(length for *_, length in drawn) == sides
    for x, y, step, length in drawn:
        for along in range(length):
            if step == "h":
                above, below = edged[y, x + along + 1], edged[y + 1, x + along + 1]
                assert above != below
            else:
                before, after = edged[y + along + 1, x], edged[y + along + 1, x + 1]
                assert before != after


def test_no_lesion_no_outline() -> None:
    assert outline(np.zeros((4, 4), dtype=bool)) == ""


def test_it_opens_at_the_frame_with_most_evidence(stack: Stack) -> None:
    heat = np.zeros(stack.frames.shape, dtype=np.float32)
    heat[9, 80:110, 80:110] = 0.01
    heat[12, 90:95, 90:95] = 0.025
    picture = make_picture(stack, heat, "kind")
    assert picture.first == 10
    assert max(picture.by_frame) == picture.by_frame[9] == 1
    assert not picture.outlined


def test_weak_evidence_makes_low_bars(stack: Stack) -> None:
    picture = make_picture(stack, np.full(stack.frames.shape, 0.005, dtype=np.float32), "kind")
    assert max(picture.by_frame) == pytest.approx(0.25)
    assert picture.seen
    unseen = make_picture(stack, np.full(stack.frames.shape, 0.003, dtype=np.float32), "kind")
    assert not unseen.seen


def test_without_evidence_it_opens_in_the_middle(stack: Stack) -> None:
    picture = make_picture(stack, np.zeros(stack.frames.shape, dtype=np.float32), "kind")
    assert picture.first == 15
    assert set(picture.by_frame) == {0}


def test_shapes_must_agree(stack: Stack) -> None:
    heat = np.zeros(stack.frames.shape, dtype=np.float32)
    with pytest.raises(ValueError, match="lesion"):
        make_picture(stack, heat, "kind", np.zeros((28, 2, 2), dtype=bool))

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.model.flags import flags, input_range
from hemocast.volume import Source, Volume

NARROW = (0.4, 0.5)


@pytest.fixture(scope="module")
def usual(make_stack):
    return input_range([make_stack(seed) for seed in range(10)])


def test_a_stack_like_the_training_s_raises_no_doubt(make_stack, usual):
    assert flags(make_stack(99), usual, NARROW, None) == ()


def test_doubts_of_reading_and_preparation_come_first_and_once(make_stack, usual):
    stack = make_stack(99, doubts=("tilt is large", "slices are uneven"))
    source = Source("dicom", "x", doubts=("slices are uneven",))
    volume = Volume(np.zeros((1, 2, 2), np.float32), np.eye(4), ((),), source)
    assert flags(stack, usual, NARROW, volume) == ("slices are uneven", "tilt is large")


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ({"brain_ml": 500.0}, "500 mL"),
        ({"brain_ml": 2500.0}, "2500 mL"),
        ({"brain_cut_mm": 30.0}, "30 mm"),
    ],
)
def test_what_preparation_measured_is_checked(make_stack, usual, record, word):
    (flag,) = flags(make_stack(99, **record), usual, NARROW, None)
    assert word in flag


def test_another_brightness_is_noticed(make_stack, usual):
    stack = make_stack(99)
    dark = replace(stack, frames=stack.frames * np.float32(0.5))
    assert any("mean brain intensity" in flag for flag in flags(dark, usual, NARROW, None))


def test_an_empty_stack_is_noticed(make_stack, usual):
    stack = make_stack(99)
    empty = replace(stack, frames=stack.frames * 0, brain=np.zeros_like(stack.brain))
    assert any("extent" in flag for flag in flags(empty, usual, NARROW, None))


def test_a_wide_interval_is_noticed(make_stack, usual):
    (flag,) = flags(make_stack(99), usual, (0.1, 0.9), None)
    assert "calibration" in flag

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.model import Description, load_default
from hemocast.model.features import measure_features
from hemocast.model.flags import flags, input_range, measure
from hemocast.model.gate import learn_gate
from hemocast.volume import Source, Volume

NARROW = (0.4, 0.5)


@pytest.fixture(scope="module")
def usual(make_stack) -> Description:
    """Return the demonstration model's description, as if trained on a few made-up stacks."""
    learned = input_range([make_stack(seed) for seed in range(10)])
    return load_default().description.model_copy(update={"input_range": learned, "gate": None})


def _spread(stack, factor: float):
    """Stretch a stack's brightness about its mean."""
    mean = stack.frames[stack.brain].mean()
    frames = np.where(stack.brain, mean + (stack.frames - mean) * factor, 0)
    return replace(stack, frames=frames.astype(np.float32))


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


@pytest.mark.parametrize("factor", [1.7, 2.0])
def test_a_spread_as_real_heads_have_is_no_doubt(make_stack, usual, factor):
    # The made-up stacks spread by .10, and differ little: real heads by .17 to .22.
    stack = _spread(make_stack(99), factor)
    assert 0.16 < measure(stack)[1] < 0.23
    assert flags(stack, usual, NARROW, None) == ()


@pytest.mark.parametrize("factor", [0.3, 3.5])
def test_a_spread_as_no_head_has_is_noticed(make_stack, usual, factor):
    stack = _spread(make_stack(99), factor)
    (flag,) = flags(stack, usual, NARROW, None)
    assert flag.startswith("spread of the brain's intensity")


def test_what_real_heads_have_follows_the_window(make_stack, usual):
    wide = usual.prepare.model_copy(update={"window_low": 0.0, "window_high": 160.0})
    widened = usual.model_copy(update={"prepare": wide})
    # 30 HU lie at .19 of that window.
    stack = replace(make_stack(99), frames=np.float32(0.33) * make_stack(99).frames)
    assert flags(stack, widened, NARROW, None) == ()
    assert flags(stack, usual, NARROW, None) != ()


def test_a_gate_takes_the_place_of_the_plain_range(make_stack, usual):
    window = usual.prepare.window
    measured = np.array([measure_features(make_stack(seed), window) for seed in range(60)])
    rng = np.random.default_rng(0)
    learned = learn_gate(np.tile(measured, (5, 1)) + 0.02 * rng.normal(size=(300, 1)))
    gated = usual.model_copy(update={"gate": learned})
    assert flags(make_stack(99), gated, NARROW, None) == ()
    noisy = make_stack(99)
    frames = noisy.frames + np.random.default_rng(1).normal(0, 0.25, noisy.frames.shape)
    noisy = replace(noisy, frames=np.where(noisy.brain, frames.clip(0, 1), 0).astype(np.float32))
    (flag,) = flags(noisy, gated, NARROW, None)
    assert flag.startswith("unlike the scans the model learned from")


def test_the_demonstration_model_has_no_doubt_about_the_real_head(ge_head):
    from hemocast.dicom import read
    from hemocast.prepare import prepare

    says = load_default().description
    stack = prepare(read(ge_head), says.prepare)
    assert flags(stack, says, NARROW, None) == ()

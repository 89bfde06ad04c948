"""The infarct's mask lies on the scan's grid; other frames than the usual are made anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.config import PrepareConfig
from hemocast.pipeline.scan_signs import infarct_frames, infarct_on_scan, measure_scan, signs_of
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, render_head
from hemocast.volume import Volume


@pytest.fixture(scope="module")
def volume() -> Volume:
    stroke = Stroke(Infarct("MCA", "left", 110.0, 4), Edema(0.22, 3.0))
    protocol = Protocol(noise_hu=3.0, rotation_degrees=(6.0, 4.0, -5.0))
    return render_head(11, Person(74), stroke, protocol=protocol)


def test_the_mask_lies_on_the_scan_where_it_is_dark(volume: Volume) -> None:
    found, signs = measure_scan(volume)
    assert signs.frames is not None
    assert signs.frames.infarct.seen
    mask = infarct_on_scan(found, signs)
    assert mask.shape == volume.hu.shape
    assert mask.dtype == np.bool_, "a scan of thin slices is not held once more as numbers"
    inside = mask & (volume.hu > 15) & (volume.hu < 50)
    brain = found.brain.mask & (volume.hu > 15) & (volume.hu < 50)
    assert volume.hu[inside].mean() < volume.hu[brain].mean() - 3
    assert infarct_frames(found, signs).shape == (28, 192, 192)


def test_other_settings_of_a_model_do_not_change_the_signs(volume: Volume) -> None:
    found, signs = measure_scan(volume)
    other = replace(found, config=PrepareConfig(window_low=0.0, window_high=80.0))
    again, same = signs_of(other)
    assert again.config == PrepareConfig()
    assert signs.frames is not None
    assert same.frames is not None
    assert same.frames.infarct.volume_ml == signs.frames.infarct.volume_ml


def test_a_scan_without_frames_has_no_mask(volume: Volume) -> None:
    found, signs = measure_scan(volume)
    with pytest.raises(ValueError, match="without frames"):
        infarct_frames(replace(found, stack=None), signs)

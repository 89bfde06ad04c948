from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate import Protocol, render_head
from hemocast.simulate.detector import finish


def test_noise_has_the_size_that_was_asked():
    protocol = Protocol(noise_hu=5.0)
    noisy = render_head(4, protocol=protocol)
    clean = render_head(4, protocol=protocol, noise=False)
    assert (noisy.hu - clean.hu).std() == pytest.approx(5.0, rel=0.05)


def test_noise_is_correlated_between_neighbours():
    noise = render_head(4).hu - render_head(4, noise=False).hu
    slice_noise = noise[10] - noise[10].mean()
    beside = (slice_noise[:, 1:] * slice_noise[:, :-1]).mean() / slice_noise.var()
    apart = (slice_noise[:, 20:] * slice_noise[:, :-20]).mean() / slice_noise.var()
    assert beside > 0.1
    assert abs(apart) < 0.05


def test_rows_between_dense_bones_are_darker():
    image = np.full((96, 96), 35.0, dtype=np.float32)
    image[40:50, 8:28] = image[40:50, 68:88] = 1500.0
    frames = image[None].copy()
    finish(frames, Protocol(matrix=96, field_mm=192.0, blur_mm=0.0), None)
    assert frames[0, 45, 48] < 33
    assert frames[0, 10, 48] == pytest.approx(35, abs=0.1)


def test_the_holder_lies_behind_the_head():
    with_holder = render_head(1, protocol=Protocol(holder=True), noise=False).hu
    without = render_head(1, protocol=Protocol(), noise=False).hu
    rows = np.argwhere(np.abs(with_holder[15] - without[15]) > 200)[:, 0]
    assert len(rows) > 100
    assert rows.min() > 110

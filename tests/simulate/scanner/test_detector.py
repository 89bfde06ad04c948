from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Protocol, render_head
from hemocast.simulate.scanner.detector import NOISE_IN_AIR, finish


def _noise(protocol: Protocol, thickness_mm: list[float] | None = None) -> np.ndarray:
    """Noise of slices that are all tissue."""
    count = len(thickness_mm) if thickness_mm else 4
    frames = np.full((count, protocol.matrix, protocol.matrix), 35.0, np.float32)
    thick = None if thickness_mm is None else np.array(thickness_mm)
    finish(frames, protocol, np.random.default_rng(1), thick)
    return frames - 35.0


def _spectrum(noise: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Mean power in bins of 0.05 per mm."""
    n = noise.shape[1]
    power = (np.abs(np.fft.fft2(noise)) ** 2).mean(axis=0) * pixel_mm**2 / n**2
    at = np.fft.fftfreq(n, pixel_mm)
    bins = (np.hypot(at[:, None], at[None]) / 0.05).astype(int)
    return ndimage.mean(power, bins, np.arange(20))


@pytest.mark.parametrize("matrix", [128, 512])
def test_noise_has_the_size_that_was_asked(matrix):
    noise = _noise(Protocol(noise_hu=5.0, matrix=matrix))
    assert noise.std() == pytest.approx(5.0, rel=0.05)
    assert noise.mean() == pytest.approx(0.0, abs=0.01)


def test_noise_in_the_head_is_as_asked_and_less_in_air():
    protocol = Protocol(noise_hu=5.0)
    noise = render_head(4, protocol=protocol).hu - render_head(4, protocol=protocol, noise=False).hu
    middle = slice(10, 20), slice(90, 170), slice(90, 170)
    assert noise[middle].std() == pytest.approx(5.0, rel=0.05)
    assert noise[10:20, :16, :16].std() == pytest.approx(5.0 * NOISE_IN_AIR, rel=0.1)


def test_the_noise_spectrum_is_that_of_a_real_head():
    """Peak and fall measured in a real head (GE, standard kernel, 4 and 7 mm slices)."""
    protocol = Protocol(matrix=512, field_mm=250.0, blur_mm=1.2)
    power = _spectrum(_noise(protocol), 250 / 512)
    middle = 0.05 * np.arange(20) + 0.025
    assert middle[power.argmax()] == pytest.approx(0.35, abs=0.06)
    share = power / power.max()
    for frequency, real in ((0.475, 0.61), (0.575, 0.29), (0.675, 0.15), (0.775, 0.035)):
        assert np.interp(frequency, middle, share) == pytest.approx(real, abs=0.08)
    assert share[0] < 0.2


def test_thin_slices_are_noisier_by_the_root_of_the_ratio():
    noise = _noise(Protocol(noise_hu=4.0), [5.0, 5.0, 2.5, 2.5])
    assert noise[2:].std() / noise[:2].std() == pytest.approx(np.sqrt(2), rel=0.03)


def test_the_noise_of_a_softer_kernel_is_coarser():
    soft, sharp = (_spectrum(_noise(Protocol(blur_mm=mm)), 230 / 256) for mm in (1.5, 1.0))
    assert np.nanargmax(soft) < np.nanargmax(sharp)


def test_noise_is_correlated_between_neighbours():
    noise = render_head(4).hu - render_head(4, noise=False).hu
    slice_noise = noise[10] - noise[10].mean()
    beside = (slice_noise[:, 1:] * slice_noise[:, :-1]).mean() / slice_noise.var()
    apart = (slice_noise[:, 20:] * slice_noise[:, :-20]).mean() / slice_noise.var()
    assert beside > 0.1
    assert abs(apart) < 0.05


def test_what_lies_between_dense_bones_is_darker():
    image = np.full((96, 96), 35.0, dtype=np.float32)
    image[40:50, 8:28] = image[40:50, 68:88] = 1500.0
    frames = image[None].copy()
    finish(frames, Protocol(matrix=96, field_mm=192.0, blur_mm=0.0), None)
    assert frames[0, 45, 48] < 33
    assert frames[0, 10, 48] == pytest.approx(35, abs=0.1)
    assert (frames[0] <= image + 1e-3).all()


def test_the_bar_between_the_petrous_bones_is_ten_hu_deep_and_the_vault_makes_none():
    """In a real head the pons is about 10 HU darker there than the cerebellum behind."""
    bones = np.hypot(*(np.indices((128, 128)) - 64.0)) * 1.8
    skull = np.where((bones > 72) & (bones < 79), np.float32(1400), np.float32(35))
    skull[bones >= 79] = -1000
    frames = np.stack([skull, skull])
    frames[1, 58:68, 24:52] = frames[1, 58:68, 76:104] = 1400  # petrous bones, 18 mm high
    before = frames.copy()
    finish(frames, Protocol(matrix=128, blur_mm=0.0), None)
    drop = before - frames
    brain = bones < 70
    assert np.abs(drop[0][brain]).mean() < 0.2
    assert 5 < drop[1, 63, 64] < 14
    assert drop[1, 100, 64] < 2


def test_the_holder_lies_behind_the_head():
    with_holder = render_head(1, protocol=Protocol(holder=True), noise=False).hu
    without = render_head(1, protocol=Protocol(), noise=False).hu
    rows = np.argwhere(np.abs(with_holder[15] - without[15]) > 200)[:, 0]
    assert len(rows) > 100
    assert rows.min() > 100

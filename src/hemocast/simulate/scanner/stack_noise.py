"""What kernel and detector leave of a slice in the frames of a Stack: blur and noise."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy import fft

from hemocast.config import PrepareConfig
from hemocast.simulate.scanner.detector import Protocol
from hemocast.volume import Affine, FloatArray


def softness(protocol: Protocol, pixel_mm: float) -> float:
    """Return the variance, pixels squared, of what kernel, pixel and resampling blur."""
    # Kernel; linear interpolation; and what few samples leave too rough.
    variance = (protocol.blur_mm / 2.3548) ** 2 + pixel_mm**2 * (1 / 6 + 1 / 8)
    return float(variance / pixel_mm**2)


def soften(image: FloatArray, variance: float) -> FloatArray:
    """Blur frames (n, rows, columns) by up to two passes of the weights (w, 1 - 2w, w)."""
    passes = min(int(np.ceil(variance * 2)), 2)
    weight = np.float32(min(variance / 2 / passes, 0.25))
    out = image
    for axis in (1, 2) * passes:
        one, two = [slice(None)] * 3, [slice(None)] * 3
        one[axis], two[axis] = slice(1, None), slice(None, -1)
        step = (out[tuple(one)] - out[tuple(two)]) * weight
        out = out.copy()
        out[tuple(two)] += step
        out[tuple(one)] -= step
    return out


def draw_noise(
    rng: Generator, protocol: Protocol, prepare: PrepareConfig, slices: Affine, count: int
) -> FloatArray:
    """Draw the noise of every slice, as it is in the frames' pixels, and interpolate it to them.

    Parameters
    ----------
    rng : Generator
        Source of the noise.
    protocol : Protocol
        Its strength (HU) and kernel.
    prepare : PrepareConfig
        Size and pixels of the frames.
    slices : ndarray, shape (4, 4)
        Frame voxel (x, y, frame, 1) to slice voxel.
    count : int
        Slices of the scan.

    Returns
    -------
    ndarray of float32, shape (frames, size, size)
    """
    size, pixel = prepare.size, prepare.pixel_mm
    fy, fx = fft.fftfreq(size, pixel)[:, None], fft.rfftfreq(size, pixel)[None]
    frequency = np.hypot(fy, fx)
    cut = protocol.noise_cut
    # Integrates to noise_hu squared over the plane of frequencies.
    power = 3 * cut**3 / np.pi * protocol.noise_hu**2 * frequency
    power *= np.exp(-2 * (frequency * cut) ** 3)
    for along in (fy, fx):
        # Mean over a pixel, then linear interpolation at any place between pixels.
        power = power * np.sinc(along * pixel) ** 2 * (2 + np.cos(2 * np.pi * along * pixel)) / 3
    spectrum = (np.sqrt(power / 2) * size / pixel).astype(np.float32)
    draw = rng.standard_normal((count + 1, 2, *spectrum.shape), dtype=np.float32) * spectrum
    if protocol.overlap:
        draw[1:] *= np.float32(np.sqrt(1 - protocol.overlap**2))
        for k in range(count):
            draw[k + 1] += np.float32(protocol.overlap) * draw[k]
    noise = fft.irfft2(draw[:, 0] + 1j * draw[:, 1], s=(size, size))
    frame, y, x = np.ogrid[: prepare.frames, :size, :size]
    at = slices[2, 0] * x + slices[2, 1] * y + slices[2, 2] * frame + slices[2, 3]
    at = np.clip(at, 0, count - 1e-6).astype(np.float32)
    low = np.minimum(at.astype(np.intp), count - 1)
    weight = at - low
    place = (low * size + y) * size + x
    flat = noise.ravel()
    mixed = flat.take(place)
    mixed += weight * (flat.take(place + size * size) - mixed)
    return np.asarray(mixed, np.float32)

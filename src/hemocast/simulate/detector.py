"""What a scanner does to the picture: protocol, beam hardening, kernel, noise, head holder.

Noise is drawn in the frequency domain with the band-pass spectrum of filtered back-projection
(Riederer 1978, 10.1088/0031-9155/23/3/008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import fft, ndimage

from hemocast.volume import FloatArray


@dataclass(frozen=True)
class Protocol:
    """How one scan is made.

    Parameters
    ----------
    matrix : int
        Rows and columns.
    field_mm : float
        Width of the image, mm.
    slice_mm : float
        Thickness of a slice and step along the normal, mm.
    rotation_degrees : tuple of float
        Rotation of the head about its x (nod), y (tilt to a shoulder) and z (turn) axes.
    shift_mm : tuple of float
        Shift of the head in the scanner, LPS x, y, z.
    margin_mm : tuple of float
        Coverage below the foramen magnum and above the vertex.
    tilt_degrees : float
        Gantry tilt.
    blur_mm : float
        Full width at half maximum of the kernel, mm.
    noise_hu : float
        Standard deviation of the noise in the middle of the head, HU.
    holder : bool
        A head holder is in the field.
    """

    matrix: int = 256
    field_mm: float = 230.0
    slice_mm: float = 5.0
    rotation_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    margin_mm: tuple[float, float] = (6.0, 4.0)
    tilt_degrees: float = 0.0
    blur_mm: float = 1.2
    noise_hu: float = 4.0
    holder: bool = False


def finish(hu: FloatArray, protocol: Protocol, rng: Generator | None) -> None:
    """Harden, blur by the kernel and add noise, slice by slice, in place.

    Parameters
    ----------
    hu : ndarray of float32, shape (n, rows, columns)
        CT numbers; changed.
    protocol : Protocol
        Kernel, noise, head holder.
    rng : Generator or None
        None leaves the noise out.
    """
    size, pixel = protocol.matrix, protocol.field_mm / protocol.matrix
    fy, fx = fft.fftfreq(size, pixel)[:, None], fft.rfftfreq(size, pixel)[None]
    frequency = np.hypot(fy, fx)
    sigma = protocol.blur_mm / 2.3548
    transfer = np.exp(-2 * (np.pi * sigma * frequency) ** 2).astype(np.float32)
    spectrum = np.sqrt(frequency) * transfer
    # A coefficient of the half plane stands for two of the whole, real and imaginary.
    spectrum *= protocol.noise_hu * size**2 / np.sqrt(4 * (spectrum**2).sum())
    spectrum = spectrum.astype(np.float32)
    holder = _holder(protocol) if protocol.holder else None
    for k in range(len(hu)):
        _harden(hu[k], pixel)
        if holder is not None:
            np.maximum(hu[k], holder, out=hu[k])
        image = fft.rfft2(hu[k])
        image *= transfer
        if rng is not None:
            noise = rng.standard_normal((2, *image.shape), dtype=np.float32)
            image.real += spectrum * noise[0]
            image.imag += spectrum * noise[1]
        hu[k] = fft.irfft2(image, s=(size, size))


def _harden(image: FloatArray, pixel: float) -> None:
    """Darken the rows between two dense bones, in place: the bar between the petrous bones.

    A row loses 1.2 HU for every centimetre (geometric mean of both sides) of dense bone beyond the
    vault's own two; the amount is ours.
    """
    middle = image.shape[1] // 2
    dense = image > 500
    sides = np.sqrt(dense[:, :middle].sum(axis=1) * dense[:, middle:].sum(axis=1)) * pixel / 10
    drop = ndimage.gaussian_filter1d(1.2 * np.clip(sides - 2.0, 0, 4), 1.5).astype(np.float32)
    soft = (image > -200) & (image < 200)
    image -= soft * drop[:, None]


def _holder(protocol: Protocol) -> FloatArray:
    """Return the head holder: a thin shell round the back of the head."""
    at = (np.arange(protocol.matrix) - protocol.matrix / 2) * protocol.field_mm / protocol.matrix
    y, x = at[:, None], at[None]
    shell = (np.abs(np.hypot(x / 1.02, (y + 8) / 1.0) - 109) < 1.3) & (y > 5)
    return np.where(shell, np.float32(60), np.float32(-1000)).astype(np.float32)

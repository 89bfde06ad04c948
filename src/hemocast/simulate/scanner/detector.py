"""What a scanner does to the picture: protocol, beam hardening, kernel, noise, head holder.

Noise is drawn in the frequency domain with the band-pass spectrum of filtered back-projection
(Riederer 1978, 10.1088/0031-9155/23/3/008): a ramp, then the kernel's own cut-off. The shape of
that cut-off was fitted to a real head scanned with GE's standard kernel (peak at 0.33 per mm, half
of the ramp lost at 0.51 per mm).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft, ndimage

from hemocast.anatomy.fields import on_axes
from hemocast.simulate.scanner.response import NEUTRAL, Response
from hemocast.volume import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NOISE_CUT = 0.69
"""Frequency times `Protocol.blur_mm` at which the noise has lost 1/e of the ramp's amplitude."""

NOISE_IN_AIR = 0.35
"""Noise outside the head against inside; about what the real head's pictures show."""

GRID = 64
"""Cells across the image on which beam hardening is computed."""

VIEWS = 60
"""Directions from which beam hardening is computed."""

VAULT_CM = 2.45
"""Bone on either side of a ray, cm of 1,000 HU, that the scanner corrects for; ours."""

HARDENING_HU = 1.45
"""HU lost per cm2, the product of the bone on both sides beyond `VAULT_CM`, averaged over all rays
through a point; set so that the bar between the petrous bones is about 10 HU deep, as in a real
head scanned at 120 kV."""

DEEPEST_HU = 14.0
"""HU that hardening takes off at most; ours."""


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
        Pitch, roll and yaw of the head: rotations about its x, then y, then z axis.
    shift_mm : tuple of float
        Shift of the head in the scanner, LPS x, y, z.
    margin_mm : tuple of float
        Coverage below the foramen magnum and above the vertex.
    tilt_degrees : float
        Gantry tilt.
    blur_mm : float
        Full width at half maximum of the kernel, mm.
    noise_hu : float
        Standard deviation of the noise in the middle of the head, HU, in slices of `slice_mm`.
    holder : bool
        A head holder is in the field.
    motion_mm : float
        How far the skull moves during the scan, mm; 0 for a head that keeps still.
    mixed : bool
        Slices of half `slice_mm` through the posterior fossa, as many protocols have.
    grain_mm : float or None
        The kernel as the noise sees it, mm: coarser than `blur_mm` where reconstruction smooths
        noise more than edges; None for the same.
    overlap : float
        Correlation of the noise of neighbouring slices, 0 to 1: they share views in a helical scan
        and where slices overlap.
    response : Response
        What it makes of CT numbers.
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
    motion_mm: float = 0.0
    mixed: bool = False
    grain_mm: float | None = None
    overlap: float = 0.0
    response: Response = NEUTRAL

    @property
    def noise_cut(self) -> float:
        """The reciprocal of the frequency, per mm, at which the noise is cut off."""
        return max(self.grain_mm or self.blur_mm, 0.5) / NOISE_CUT

    def motion_seed(self) -> int:
        """Seed of the movement: the same protocol moves the same way, with noise or without."""
        text = repr((self.motion_mm, self.rotation_degrees, self.shift_mm))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def finish(
    hu: FloatArray,
    protocol: Protocol,
    rng: Generator | None,
    thickness_mm: NDArray[np.float64] | None = None,
) -> None:
    """Harden, blur by the kernel and add noise, slice by slice, in place.

    Parameters
    ----------
    hu : ndarray of float32, shape (n, rows, columns)
        CT numbers; changed.
    protocol : Protocol
        Kernel, noise, head holder.
    rng : Generator or None
        None leaves the noise out.
    thickness_mm : ndarray, shape (n,), optional
        Of each slice; `protocol.slice_mm` by default. Half the thickness, half the photons, and
        1.4 times the noise.
    """
    size, pixel = protocol.matrix, protocol.field_mm / protocol.matrix
    transfer, spectrum = _transfer(protocol)
    holder = _holder(protocol) if protocol.holder else None
    thick = np.full(len(hu), protocol.slice_mm) if thickness_mm is None else thickness_mm
    grain = _Grain(spectrum, size, protocol.overlap)
    for k in range(len(hu)):
        cells = _cells(np.clip(hu[k], -1000, 0) + 1000) / np.float32(1000)
        _harden(hu[k], protocol.field_mm)
        if holder is not None:
            np.maximum(hu[k], holder, out=hu[k])
        image = fft.rfft2(hu[k])
        image *= transfer
        hu[k] = fft.irfft2(image, s=(size, size))
        if rng is not None:
            hu[k] += (
                grain.next_slice(rng)
                * _loudness(cells, size, pixel)
                * np.float32(np.sqrt(protocol.slice_mm / thick[k]))
            )


def _transfer(protocol: Protocol) -> tuple[FloatArray, FloatArray]:
    """Return what the kernel does to each frequency and the noise's amplitude there."""
    size, pixel = protocol.matrix, protocol.field_mm / protocol.matrix
    fy, fx = fft.fftfreq(size, pixel)[:, None], fft.rfftfreq(size, pixel)[None]
    frequency = np.hypot(fy, fx)
    sigma = protocol.blur_mm / 2.3548
    transfer = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    spectrum = np.sqrt(frequency) * np.exp(-((frequency * protocol.noise_cut) ** 3))
    # A coefficient of the half plane stands for two of the whole, real and imaginary.
    spectrum *= protocol.noise_hu * size**2 / np.sqrt(4 * (spectrum**2).sum())
    return transfer.astype(np.float32), spectrum.astype(np.float32)


class _Grain:
    """The noise of one slice after the other."""

    def __init__(self, spectrum: FloatArray, size: int, overlap: float) -> None:
        self.spectrum, self.size, self.overlap = spectrum, size, np.float32(overlap)
        self.below: FloatArray | None = None

    def next_slice(self, rng: Generator) -> FloatArray:
        """Draw the noise of the next slice."""
        draw = rng.standard_normal((2, *self.spectrum.shape), dtype=np.float32)
        draw *= self.spectrum
        noise = np.asarray(fft.irfft2(draw[0] + 1j * draw[1], s=(self.size, self.size)))
        if self.overlap and self.below is not None:
            noise = self.overlap * self.below + np.sqrt(1 - self.overlap**2) * noise
        self.below = noise
        return noise


def _cells(image: FloatArray) -> FloatArray:
    """Return the means over blocks: `GRID` cells across, fewer where the matrix is smaller."""
    step = max(1, image.shape[0] // GRID)
    n = image.shape[0] // step
    cut = image[: n * step, : n * step]
    return np.asarray(cut.reshape(n, step, n, step).mean(axis=(1, 3)))


def _grown(cells: FloatArray, size: int) -> FloatArray:
    """Interpolate cells linearly to the pixels of the image."""
    n = len(cells)
    at = np.clip((np.arange(size) + 0.5) / max(1, size // n) - 0.5, 0, n - 1)
    return on_axes(cells, [at, at])


def _loudness(cells: FloatArray, size: int, pixel: float) -> FloatArray:
    """Return the noise's strength by place: 1 in the head, `NOISE_IN_AIR` far from it."""
    width = 12.0 / (pixel * max(1, size // len(cells)))
    inside = ndimage.gaussian_filter(np.minimum(cells, 1), width, truncate=2)
    strength = NOISE_IN_AIR + (1 - NOISE_IN_AIR) * np.minimum(inside * 1.15, 1)
    return _grown(strength.astype(np.float32), size)


@lru_cache(maxsize=4)
def _rays(n: int) -> csr_array:
    """Return the matrix that sums an n x n image along rays: (`VIEWS` * bins, pixels), in cells."""
    from scipy.sparse import csr_array

    at = np.arange(n) - (n - 1) / 2
    y, x = (part.ravel() for part in np.meshgrid(at, at, indexing="ij"))
    bins = _bins(n)
    rows, columns, weights = [], [], []
    for view in range(VIEWS):
        angle = np.pi * view / VIEWS
        place = x * np.cos(angle) + y * np.sin(angle) + (bins - 1) / 2
        low = np.floor(place).astype(np.intp)
        for bin_, weight in ((low, low + 1 - place), (low + 1, place - low)):
            rows.append(view * bins + bin_)
            columns.append(np.arange(n * n))
            weights.append(weight)
    where = np.concatenate(rows), np.concatenate(columns)
    values = np.concatenate(weights).astype(np.float32)
    return csr_array((values, where), shape=(VIEWS * bins, n * n))


def _bins(n: int) -> int:
    return int(np.ceil(n * 1.5)) + 2


def _harden(image: FloatArray, field_mm: float) -> None:
    """Darken what lies between dense bones, in place: the bar between the petrous bones.

    A ray through two bones loses its soft photons and measures too little, by the product of the
    two (the second order of Joseph and Spital 1978, 10.1097/00004728-197801000-00017). Points lose
    the mean over all rays through them; what one bone does alone the scanner corrects.
    """
    bone = _cells(np.where(image > 250, image, np.float32(0))) / np.float32(1000)
    n = len(bone)
    cell_cm = np.float32(field_mm / n / 10)
    rays = _rays(n)
    right, left = bone.copy(), bone
    right[:, n // 2 :], left[:, : n // 2] = 0, 0
    excess = (rays @ right.ravel()) * (rays @ left.ravel()) * cell_cm**2
    excess = np.maximum(excess - np.float32(VAULT_CM**2), 0)
    if not excess.any():
        return
    drop = (rays.T @ excess).reshape(n, n) * np.float32(HARDENING_HU / VIEWS / DEEPEST_HU)
    drop = np.float32(DEEPEST_HU) * (1 - np.exp(-drop))
    soft = (image > -200) & (image < 200)
    image -= soft * _grown(drop.astype(np.float32), image.shape[0])


def _holder(protocol: Protocol) -> FloatArray:
    """Return the head holder: a shell under the back of the head and plates beside it."""
    at = (np.arange(protocol.matrix) - protocol.matrix / 2) * protocol.field_mm / protocol.matrix
    y, x = at[:, None], at[None]
    away = np.abs(x)
    shell = (np.abs(np.hypot(x / 1.02, y + 8) - 109) < 1.0) & (y > 60)
    plate = (np.abs(away - 98 + np.maximum(y - 35, 0) ** 2 / 90) < 0.9) & (y > -15) & (y < 62)
    return np.where(shell | plate, np.float32(90), np.float32(-1000)).astype(np.float32)

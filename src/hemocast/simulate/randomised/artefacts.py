"""What a scanner, a bed and metal do to a randomised head, on blocks of 3 mm."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.simulate.randomised.labels import ByteArray, Code
from hemocast.volume import BoolArray, FloatArray

BLOCK_MM = 3.0


def scan_blocks(rng: Generator, hu: FloatArray, fine: ByteArray) -> NDArray[np.float16]:
    """Scan what lies at two fine points per block and axis.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    hu : ndarray of float32, shape (2 z, 2 y, 2 x)
        True CT numbers, HU.
    fine : ndarray of uint8
        Their codes: metal throws streaks.

    Returns
    -------
    ndarray of float16, shape (z, y, x)
        What a scan of random slice thickness, resampled to blocks, measures.
    """
    planes = (hu[:, 0::2, 0::2] + hu[:, 1::2, 0::2] + hu[:, 0::2, 1::2] + hu[:, 1::2, 1::2]) / 4
    measured, way_back = _slices(rng, len(planes))
    slices = np.tensordot(measured, planes, axes=(1, 0)).astype(np.float32)
    metal = (fine == Code.METAL) | (fine == Code.PLATE)
    if metal.any():
        share = metal[:, 0::2, 0::2].astype(np.float32)
        _streaks(rng, slices, np.tensordot(measured, share, axes=(1, 0)) > 0.15)
    _bed(rng, slices)
    _shade(rng, slices)
    _grain(rng, slices)
    blocks = np.tensordot(way_back, slices, axes=(1, 0))
    return np.clip(blocks, -1024, 4000).astype(np.float16)


def _slices(rng: Generator, count: int) -> tuple[FloatArray, FloatArray]:
    """Return weights from fine planes to slices and from slices to blocks.

    Thick slices lie further apart than blocks; between them the scan is interpolated, as the map
    does with real scans.
    """
    step_mm = BLOCK_MM if rng.random() < 0.4 else rng.uniform(3.0, 9.0)
    if rng.random() < 0.25:
        step_mm = 5.0
    step = step_mm / (BLOCK_MM / 2)
    n = max(int(count / step), 4)
    middle = (np.arange(n) + 0.5) * step + (count - n * step) / 2
    thick = step * rng.uniform(0.6, 1.15)
    plane = np.arange(count)[None]
    covered = np.minimum(plane + 1, middle[:, None] + thick / 2) - np.maximum(
        plane, middle[:, None] - thick / 2
    )
    measured = np.maximum(covered, 0)
    measured /= measured.sum(1, keepdims=True)
    block = np.arange(count // 2) * 2 + 1.0
    back = np.stack([np.interp(block, middle, one) for one in np.eye(n)], axis=1)
    return measured.astype(np.float32), back.astype(np.float32)


def _streaks(rng: Generator, slices: FloatArray, metal: BoolArray) -> None:
    """Let metal throw bright and dark rays within its slices, in place."""
    rows, columns = np.ogrid[: slices.shape[1], : slices.shape[2]]
    size = rng.uniform(40, 350)
    angles = rng.uniform(-np.pi, np.pi, rng.integers(6, 30))
    signs = rng.choice([-1.0, 1.0], len(angles)) * rng.uniform(0.3, 1, len(angles))
    reach = rng.uniform(12, 80)
    for k in np.flatnonzero(metal.any(axis=(1, 2))):
        labels, n = ndimage.label(metal[k])
        for middle in ndimage.center_of_mass(metal[k], labels, range(1, min(n, 3) + 1)):
            dy, dx = rows - middle[0], columns - middle[1]
            r = np.hypot(dy, dx)
            angle = np.arctan2(dy, dx)
            rays = np.zeros(r.shape, np.float32)
            for a, sign in zip(angles, signs, strict=True):
                rays += sign * np.clip(1.3 + 0.03 * r - np.abs(np.sin(angle - a)) * r, 0, 1)
            soft = (slices[k] > -500) & ~metal[k]
            slices[k] += soft * size * rays * np.exp(-r / reach)


def _bed(rng: Generator, slices: FloatArray) -> None:
    """Put a pillow and a head holder into the air, in place."""
    if rng.random() < 0.5:
        return
    _, ny, nx = slices.shape
    rows, columns = np.ogrid[:ny, :nx]
    turn = rng.uniform(-np.pi, np.pi)
    away = (rows - ny / 2) * np.sin(turn) + (columns - nx / 2) * np.cos(turn)
    air = slices < -700
    if rng.random() < 0.7:
        start = rng.uniform(5, 30)
        slices += (air & (away > start)) * rng.uniform(0, 250)
    if rng.random() < 0.7:
        middle = rng.uniform(-6, 6, 2)
        r = np.hypot(rows - ny / 2 - middle[0], columns - nx / 2 - middle[1])
        shell = (np.abs(r - rng.uniform(29, 37)) < rng.uniform(0.4, 1.2)) & (away > 0)
        slices += (air & shell) * rng.uniform(300, 1400)


def _shade(rng: Generator, slices: FloatArray) -> None:
    """Add what bone and the scanner do to soft tissue: bright rims, cupping, bands, in place."""
    soft = (slices > -300) & (slices < 300)
    bone = np.clip(slices, 0, 1500) * (slices > 150)
    wide = ndimage.gaussian_filter(bone, (0, *[rng.uniform(1, 3)] * 2), truncate=2.5)
    change = rng.uniform(-0.01, 0.03) * wide
    _, ny, nx = slices.shape
    rows, columns = np.ogrid[:ny, :nx]
    r2 = ((rows - ny / 2) ** 2 + (columns - nx / 2) ** 2) / 30.0**2
    change += rng.normal(0, 2) * r2
    if rng.random() < 0.5:
        rough = rng.standard_normal((max(len(slices) // 2, 2), 9, 8), dtype=np.float32)
        zoom = [n / m for n, m in zip(slices.shape, rough.shape, strict=True)]
        change += rng.uniform(0, 4) * ndimage.zoom(rough, zoom, order=1)
    change += rng.normal(0, rng.uniform(0, 2.0), (len(slices), 1, 1))
    for _ in range(rng.integers(0, 3)):  # bars between dense bones
        height, row = rng.integers(len(slices)), rng.uniform(15, ny - 15)
        bar = np.exp(-(((rows - row - rng.normal(0, 0.1) * columns) / rng.uniform(1, 3)) ** 2))
        near = np.exp(-(((np.arange(len(slices)) - height) / rng.uniform(0.5, 2)) ** 2))
        change += rng.normal(0, 10) * near[:, None, None] * bar
    slices += soft * change
    if rng.random() < 0.3:
        slices += soft * rng.normal(0, 4)


def _grain(rng: Generator, slices: FloatArray) -> None:
    """Blur and add noise, smooth to a random extent in plane and between slices, in place."""
    blur = rng.uniform(0, 0.8) if rng.random() < 0.6 else 0.0
    if blur > 0.2:
        slices[:] = ndimage.gaussian_filter(slices, (0, blur, blur), truncate=2.5)
    grain = rng.standard_normal(slices.shape, dtype=np.float32)
    sigma = (rng.uniform(0, 0.6), *[rng.uniform(0, 1.0)] * 2)
    grain = ndimage.gaussian_filter(grain, sigma, truncate=2.0)
    size = rng.uniform(0.3, 6) if rng.random() < 0.85 else rng.uniform(6, 14)
    slices += grain * (size / max(float(grain.std()), 1e-6))

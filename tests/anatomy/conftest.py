"""Heads to find brains in: the real one and simulated ones, and ways to move and cut them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Protocol, render_head
from hemocast.volume import Source, Volume


@pytest.fixture(scope="session")
def head() -> Callable[..., Volume]:
    """Return a function that renders a simulated head; a stroke and settings are keywords."""

    @lru_cache(maxsize=4)
    def _head(seed: int = 0, **settings: Any) -> Volume:
        stroke = settings.pop("stroke", None)
        return render_head(seed, stroke=stroke, protocol=Protocol(**settings))

    return _head


@pytest.fixture(scope="session")
def array_volume() -> Callable[..., Volume]:
    """Return a function that makes a Volume of an array, upright, of a given voxel size."""

    def _volume(hu: np.ndarray, spacing: tuple[float, float, float] = (5.0, 1.0, 1.0)) -> Volume:
        affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
        return Volume(
            hu.astype(np.float32), affine, ((),) * len(hu), Source(kind="array", scan_uid="0")
        )

    return _volume


@pytest.fixture(scope="session")
def cut() -> Callable[..., Volume]:
    """Return a function that cuts millimetres off a Volume's lower and upper end."""

    def _cut(volume: Volume, base_mm: float = 0.0, top_mm: float = 0.0) -> Volume:
        low = round(base_mm / volume.spacing[0])
        high = len(volume.hu) - round(top_mm / volume.spacing[0])
        affine = volume.affine.copy()
        affine[:3, 3] += affine[:3, 2] * low
        return replace(
            volume, hu=volume.hu[low:high], affine=affine, slices=volume.slices[low:high]
        )

    return _cut


@pytest.fixture(scope="session")
def moved() -> Callable[..., Volume]:
    """Return a function that scans a Volume again after a rigid move (4, 4) of the head in mm."""

    def _moved(
        volume: Volume, move: np.ndarray, spacing: tuple[float, float, float] = (4.0, 1.0, 1.0)
    ) -> Volume:
        last = np.array(volume.hu.shape[::-1]) - 1
        corners = np.array([[*(last * at), 1.0] for at in np.ndindex(2, 2, 2)])
        corners = (corners @ (move @ volume.affine).T)[:, :3]
        low, high = corners.min(axis=0), corners.max(axis=0)
        affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
        affine[:3, 3] = [high[0], high[1], low[2]]
        size = np.ceil((high - low) / np.array(spacing[::-1])).astype(int) + 1
        back = np.linalg.inv(move @ volume.affine) @ affine
        hu = ndimage.affine_transform(
            volume.hu,
            back[:3, :3][::-1, ::-1],
            offset=back[:3, 3][::-1],
            output_shape=tuple(size[::-1]),
            order=1,
            cval=-1000,
        )
        return Volume(hu.astype(np.float32), affine, ((),) * len(hu), volume.source)

    return _moved

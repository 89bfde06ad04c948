"""Heads with and without blood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.anatomy import Brain, find_brain
from hemocast.dicom import read
from hemocast.volume import Volume


@pytest.fixture(scope="session")
def ge_volume(ge_head: Path) -> Volume:
    return read(ge_head)


@pytest.fixture(scope="session")
def ge_brain(ge_volume: Volume) -> Brain:
    return find_brain(ge_volume)


@pytest.fixture(scope="session")
def with_ball() -> Callable[..., Volume]:
    """Return a function that puts a ball of some density and noise into a Volume.

    Its rim mixes with what was there, through the slice too (seven planes per slice).
    """

    def _with_ball(
        volume: Volume, centre: tuple[int, int, int], ml: float, hu: float, seed: int = 0
    ) -> Volume:
        radius = (ml * 1000 * 3 / 4 / np.pi) ** (1 / 3)
        box = tuple(
            slice(max(0, middle - round(radius / step) - 2), middle + round(radius / step) + 3)
            for middle, step in zip(centre, volume.spacing, strict=True)
        )
        bled = volume.hu.copy()
        z, y, x = (
            (np.arange(n)[part] - middle) * step
            for n, part, middle, step in zip(bled.shape, box, centre, volume.spacing, strict=True)
        )
        planes = np.linspace(-0.43, 0.43, 7) * volume.spacing[0]
        in_plane = y[:, None] ** 2 + x[None] ** 2
        share = np.mean(
            [(z[:, None, None] + plane) ** 2 + in_plane < radius**2 for plane in planes], axis=0
        )
        clot = hu + np.random.default_rng(seed).normal(0, 5, share.shape)
        bled[box] = bled[box] * (1 - share) + clot * share
        return replace(volume, hu=bled)

    return _with_ball

"""Heads with and without blood and other signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import Alignment, Brain, align, find_brain
from hemocast.config import PrepareConfig
from hemocast.prepare import prepare
from hemocast.signs.measured import Found
from hemocast.signs.sides import Sides, lay_out
from hemocast.signs.ventricles import ventricular_fluid
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, render_head
from hemocast.volume import FloatArray, Volume

_QUIET = Protocol(noise_hu=3.0)


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


def found_in(volume: Volume) -> Found:
    """Find brain, pose and frames, as `hemocast measure` does."""
    brain = find_brain(volume)
    pose = align(volume, brain)
    settings = PrepareConfig()
    return Found(volume, brain, pose, prepare(volume, settings, brain, pose), settings)


@pytest.fixture(scope="session")
def sound() -> Found:
    """Return a simulated head without a sign: middle-aged, pale nowhere."""
    return found_in(render_head(7, Person(45, van_swieten=(0, 0)), protocol=_QUIET))


@pytest.fixture(scope="session")
def worn() -> Found:
    """Return the same head when old: wide ventricles, pale white matter, an old infarct left."""
    old = Infarct("MCA", "left", 22.0, 3)
    person = Person(84, van_swieten=(2, 2), old_infarct=old)
    return found_in(render_head(7, person, protocol=_QUIET))


@pytest.fixture(scope="session")
def ge_found(ge_volume: Volume, ge_brain: Brain, ge_pose: Alignment) -> Found:
    settings = PrepareConfig()
    stack = prepare(ge_volume, settings, ge_brain, ge_pose)
    return Found(ge_volume, ge_brain, ge_pose, stack, settings)


@pytest.fixture(scope="session")
def sides_of() -> Callable[[Found], tuple[Sides, FloatArray]]:
    """Return a function that lays a head's sides out, and finds the fluid of its ventricles."""

    def _sides_of(found: Found) -> tuple[Sides, FloatArray]:
        assert found.stack is not None
        assert found.brain.tissue is not None
        sides = lay_out(found.stack, found.pose, found.config)
        return sides, ventricular_fluid(found.volume, found.brain.tissue, sides)

    return _sides_of


@pytest.fixture(scope="session")
def struck() -> Found:
    """Return a simulated head with a plain infarct of 110 mL on the left."""
    stroke = Stroke(Infarct("MCA", "left", 110.0, 4), Edema(0.22, 3.0))
    return found_in(render_head(11, Person(74, van_swieten=(1, 1)), stroke, protocol=_QUIET))

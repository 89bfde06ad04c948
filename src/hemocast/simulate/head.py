"""One head: an atlas bent by a `Shape`, with its own sinuses, calcium, old lacunes and infarct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.simulate.atlas import ORIGIN, load_atlas
from hemocast.simulate.face import Tissue
from hemocast.simulate.lesion import Stain, Territory, draw_growth, fill
from hemocast.simulate.shape import Shape, draw_shape
from hemocast.simulate.swelling import SWELLING_ML, swell


@dataclass(frozen=True)
class Infarct:
    """What is asked of an infarct.

    Parameters
    ----------
    territory : str
        Vascular territory.
    side : {"left", "right"}
        The patient's side.
    volume_ml : float
        Brain tissue it holds, mL.
    """

    territory: Territory
    side: Literal["left", "right"]
    volume_ml: float


@dataclass(frozen=True)
class Head:
    """A head ready to be scanned.

    Parameters
    ----------
    shape : Shape
        Its bend, atrophy, skull.
    tissue : ndarray of uint8
        The atlas' `Tissue` map with this head's own structures stamped in.
    infarct, blood : Stain or None
        Shares of the voxels that are infarcted, or hold a bleed.
    """

    shape: Shape
    tissue: NDArray[np.uint8]
    infarct: Stain | None = None
    blood: Stain | None = None


def build_head(
    rng: Generator,
    *,
    age: float,
    male: bool,
    leukoaraiosis: float = 0.0,
    infarct: Infarct | None = None,
    blood_ml: float = 0.0,
) -> Head:
    """Draw a head.

    Parameters
    ----------
    rng : Generator
        Source of randomness; the same state gives the same anatomy whatever the infarct.
    age : float
        Years.
    male : bool
        Sex, for the size of the head.
    leukoaraiosis : float
        0 none to 1 severe.
    infarct : Infarct or None
        The infarct, if any.
    blood_ml : float
        Volume of a bleed inside the infarct, mL; needs one.
    """
    anatomy, disease = rng.spawn(2)
    shape = draw_shape(anatomy, age, leukoaraiosis, male)
    tissue = _stamp(anatomy, load_atlas().tissue.copy(), age)
    if infarct is None:
        return Head(shape, tissue)
    growth = draw_growth(disease, infarct.territory, infarct.side)
    stain = fill(growth, infarct.volume_ml, shape)
    if infarct.volume_ml > SWELLING_ML:
        shape = swell(shape, stain, infarct.volume_ml)
        stain = fill(growth, infarct.volume_ml, shape)
    if blood_ml <= 0:
        return Head(shape, tissue, stain)
    # A bleed grows from another place of the same infarct.
    inner = draw_growth(disease, infarct.territory, infarct.side)
    inner = np.where(growth > -900, 0.6 * growth + 0.4 * inner, -1e4).astype(np.float32)
    return Head(shape, tissue, stain, fill(inner, min(blood_ml, infarct.volume_ml * 0.9), shape))


def _stamp(rng: Generator, tissue: NDArray[np.uint8], age: float) -> NDArray[np.uint8]:
    """Put in what differs from head to head: air cells, calcium, lacunes."""
    middle = int(-ORIGIN[0])
    z0, z1 = int(-40 - ORIGIN[2]), int(30 - ORIGIN[2])
    frontal = tissue[z0:z1] == Tissue.FRONTAL_SINUS
    height, width = rng.uniform(2, 22, 2), rng.uniform(8, 26, 2)
    x = np.arange(tissue.shape[2]) - middle
    z = np.arange(z0, z1) + ORIGIN[2]
    side = (x > 0).astype(int)
    filled = (z[:, None] < height[side]) & (np.abs(x) < width[side])
    tissue[z0:z1][frontal] = Tissue.BONE
    tissue[z0:z1][frontal & filled[:, None, :]] = Tissue.CAVITY
    cells = np.flatnonzero(tissue == Tissue.MASTOID)
    pneumatised = rng.uniform(0.1, 0.5, 2)[(cells % tissue.shape[2] > middle).astype(int)]
    noise = rng.random(len(cells), dtype=np.float32)
    tissue.ravel()[cells[noise < pneumatised]] = Tissue.CAVITY
    if rng.random() < np.clip(0.2 + (age - 30) / 60, 0.1, 0.85):
        _ball(tissue, (rng.normal(0, 0.7), -26, 1), rng.uniform(1.2, 3.0), Tissue.CALCIUM)
    for sign in (-1, 1):
        if rng.random() < np.clip((age - 20) / 70, 0.1, 0.8):
            at = (sign * rng.normal(22, 1.5), rng.normal(-41, 2), rng.normal(9, 3))
            _ball(tissue, at, rng.uniform(1.5, 3.5), Tissue.CALCIUM)
    for _ in range(rng.poisson(max(age - 50, 0) / 35)):
        sign = rng.choice([-1, 1])
        at = (sign * rng.uniform(10, 30), rng.uniform(-25, 18), rng.uniform(0, 26))
        _ball(tissue, at, rng.uniform(1.5, 4.0), Tissue.LACUNE)
    return tissue


def _ball(
    tissue: NDArray[np.uint8], at: tuple[float, float, float], radius: float, kind: Tissue
) -> None:
    """Fill a ball, `at` in MNI (x, y, z) mm."""
    centre = (np.array(at) - ORIGIN)[::-1]
    low = np.floor(centre - radius).astype(int)
    high = np.ceil(centre + radius).astype(int) + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.ogrid[box]
    inside = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2
    tissue[box][inside] = kind

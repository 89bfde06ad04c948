"""One head: an atlas bent by a `Shape`, with its own sinuses, calcium, arteries and strokes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.simulate.anatomy.atlas import ORIGIN, load_atlas
from hemocast.simulate.anatomy.face import Tissue
from hemocast.simulate.anatomy.matter import mean_matter
from hemocast.simulate.anatomy.shape import Shape, draw_shape
from hemocast.simulate.disease.bleed import Bleed, draw_bleed, mass_effect_mm
from hemocast.simulate.disease.lesion import Side, Stain, Territory, draw_growth, fill
from hemocast.simulate.disease.swelling import swell

M1_COURSE = ((7, 4, -23), (15, 4, -22), (21, 4, -19), (27, 6, -19), (33, 9, -20), (39, 9, -18))
"""Middle cerebral artery from the carotid's end to its branching, MNI (x, y, z) mm: it follows the
fluid between the frontal and temporal lobes of the template."""

M1_RADIUS_MM = 1.6
"""Of the artery; textbooks give an M1 diameter of about 3 mm."""


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
    pattern : int
        Which of the `PATTERNS` ways it grows.
    """

    territory: Territory
    side: Side
    volume_ml: float
    pattern: int = 0


@dataclass(frozen=True)
class Head:
    """A head ready to be scanned.

    Parameters
    ----------
    shape : Shape
        Its bend, atrophy, skull; without the swelling of the infarct.
    tissue : ndarray of uint8
        The atlas' `Tissue` map with this head's own structures stamped in.
    infarct, blood : Stain or None
        Shares of the voxels that are infarcted, or hold a bleed.
    infarct_hu : float
        Mean CT number of the infarct's tissue before it took up water.
    """

    shape: Shape
    tissue: NDArray[np.uint8]
    infarct: Stain | None = None
    blood: Stain | None = None
    infarct_hu: float = 0.0


def build_head(
    rng: Generator,
    *,
    age: float,
    male: bool,
    van_swieten: tuple[int, int] = (0, 0),
    infarct: Infarct | None = None,
    shift_mm: float = 0.0,
    hyperdense: bool = False,
    old_infarct: Infarct | None = None,
    bleed: Bleed | None = None,
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
    van_swieten : tuple of int
        Leukoaraiosis before and behind the central sulcus, 0 to 2 each (van Swieten 1990).
    infarct : Infarct or None
        The infarct, if any.
    shift_mm : float
        Midline shift at which the infarct's volume is exact; what it is scanned with is the
        scanner's business.
    hyperdense : bool
        The infarct's side has a clot in the first segment of its middle cerebral artery.
    old_infarct : Infarct or None
        A cavity from an earlier stroke.
    bleed : Bleed or None
        A bleed inside the infarct; needs one.

    Raises
    ------
    ValueError
        A bleed or a hyperdense artery without an infarct.
    """
    if infarct is None and (bleed or hyperdense):
        raise ValueError("a bleed and a hyperdense artery need an infarct")
    anatomy, disease = rng.spawn(2)
    shape = draw_shape(anatomy, age, van_swieten, male)
    tissue = _stamp(anatomy, load_atlas().tissue.copy(), age)
    _arteries(tissue, infarct.side if infarct and hyperdense else None)
    if old_infarct is not None:
        _cavity(tissue, shape, old_infarct)
    if infarct is None:
        return Head(shape, tissue)
    free = tissue < Tissue.BONE
    growth = draw_growth(infarct.territory, infarct.pattern, infarct.side)
    stain = fill(growth, infarct.volume_ml, shape, free)
    swollen = swell(shape, stain, shift_mm)
    if swollen is not shape:
        stain = fill(growth, infarct.volume_ml, swollen, free)
        swollen = swell(shape, stain, shift_mm)
    mean = mean_matter(stain, swollen, free)
    head = Head(shape, tissue, stain, infarct_hu=mean)
    if bleed is None:
        return head
    blood = draw_bleed(disease, bleed, stain, swollen, free)
    push = mass_effect_mm(bleed)
    return replace(head, blood=blood, shape=swell(shape, blood, push) if push else shape)


def _arteries(tissue: NDArray[np.uint8], occluded: Side | None) -> None:
    """Lay the first segments of both middle cerebral arteries, one perhaps with a clot."""
    corners = np.array(M1_COURSE, dtype=np.float64)
    course = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(corners)])
    for side, sign in (("left", -1), ("right", 1)):
        kind = Tissue.CLOT if side == occluded else Tissue.ARTERY
        for x, y, z in course:
            _ball(tissue, (sign * x, y, z), M1_RADIUS_MM, kind)


def _cavity(tissue: NDArray[np.uint8], shape: Shape, old: Infarct) -> None:
    """Stamp an old infarct: tissue gone, fluid in its place, no swelling."""
    free = tissue < Tissue.BONE
    growth = draw_growth(old.territory, old.pattern, old.side)
    stain = fill(growth, old.volume_ml, shape, free)
    gone = (stain.share > 127) & (load_atlas().level[stain.box] > 60) & free[stain.box]
    tissue[stain.box][gone] = Tissue.OLD_INFARCT


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

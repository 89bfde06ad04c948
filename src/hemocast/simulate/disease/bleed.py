"""Hemorrhagic transformation of an infarct, by grade: petechiae in its cortex, or a clot.

The grades are ECASS's (Hacke 1995, 10.1001/jama.1995.03530130023023): HI1 small petechiae along
the margins, HI2 more confluent petechiae without mass effect, PH1 a clot in at most 30 % of the
infarct, PH2 a clot in more, with mass effect. How they are drawn is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from hemocast.simulate.anatomy.atlas import DISTANCE_STEP, DISTANCE_ZERO, load_atlas
from hemocast.simulate.anatomy.shape import FIELD, Shape, atlas_maps
from hemocast.simulate.disease.lesion import TissueShare, on_box, soft, soft_level
from hemocast.volume import BoolArray, FloatArray

Grade = Literal["HI1", "HI2", "PH1", "PH2"]

SPOT_MM = {"HI1": 1.7, "HI2": 3.0}
"""Smoothness of the random map whose peaks are the petechiae, mm."""

PETECHIAL_SHARE = {"HI1": 0.9, "HI2": 0.75}
"""Share of blood within petechiae; tissue remains between them."""

PUSH_MM_PER_ML, LARGEST_PUSH_MM = 0.08, 5.0
"""Midline shift by a PH2 clot, on top of the infarct's own; ours."""


@dataclass(frozen=True)
class Bleed:
    """What is asked of a bleed inside an infarct.

    Parameters
    ----------
    grade : {"HI1", "HI2", "PH1", "PH2"}
        ECASS grade.
    volume_ml : float
        Blood in all, mL.
    """

    grade: Grade
    volume_ml: float


def mass_effect_mm(bleed: Bleed) -> float:
    """Return the midline shift a bleed adds: only PH2 has a mass effect."""
    if bleed.grade != "PH2":
        return 0.0
    return min(PUSH_MM_PER_ML * bleed.volume_ml, LARGEST_PUSH_MM)


def draw_bleed(
    rng: Generator, bleed: Bleed, infarct: TissueShare, shape: Shape, free: BoolArray
) -> TissueShare:
    """Draw a bleed inside an infarct.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    bleed : Bleed
        Grade and volume; what the infarct cannot hold is left out.
    infarct : TissueShare
        The infarct.
    shape : Shape
        The head, as swollen as the volume is asked for.
    free : ndarray of bool
        Of the whole atlas: False where bone, calcium or an old cavity lies.
    """
    size, box = infarct.share.shape, infarct.box
    inside = (infarct.share > 100) & free[box]
    weights = (
        on_box(atlas_maps(shape, infarct.start, size).stretch, infarct.start, size, FIELD)[inside]
        / 1000
    )
    clot = bleed.grade in ("PH1", "PH2")
    if clot:
        order, edge, share = _clot_order(rng, inside, infarct), 1.5, 1.0
    else:
        order, edge = _petechial_order(rng, bleed.grade, infarct), 0.15
        share = PETECHIAL_SHARE[bleed.grade]
    values = order[inside]
    rank = np.argsort(-values, kind="stable")
    filled = np.cumsum(weights[rank], dtype=np.float64) * share
    at = min(int(np.searchsorted(filled, bleed.volume_ml)), len(rank) - 1)
    level = soft_level(
        values, weights.astype(np.float32), bleed.volume_ml / share, edge, float(values[rank[at]])
    )
    held = np.where(inside, share * soft(order - np.float32(level), edge), 0)
    return TissueShare(infarct.start, np.round(255 * held).astype(np.uint8))


def _petechial_order(rng: Generator, grade: Grade, infarct: TissueShare) -> FloatArray:
    """Return a map with a peak for every petechia, in units of its spread: more in the cortex."""
    size = infarct.share.shape
    noise = ndimage.gaussian_filter(
        rng.standard_normal(size, dtype=np.float32), SPOT_MM[grade], truncate=3
    )
    noise /= max(float(noise.std()), 1e-9)
    grey = 1 - load_atlas().white[infarct.box] * np.float32(1 / 255)
    tissue = load_atlas().level[infarct.box] > 100
    near = ndimage.gaussian_filter((grey * tissue).astype(np.float32), 2.5, truncate=3)
    return np.asarray(noise + 2.0 * near)


def _clot_order(rng: Generator, inside: BoolArray, infarct: TissueShare) -> FloatArray:
    """Return minus the mm a clot must have grown from a deep place of the infarct, lobulated."""
    depth = ndimage.distance_transform_edt(inside)
    deep = np.argwhere(depth >= 0.9 * depth.max())
    seed = deep[rng.integers(len(deep))]
    widths = np.exp(rng.normal(0, 0.2, 3))
    squares = [((g - s) / w) ** 2 for g, s, w in zip(np.ogrid[tuple(map(slice, inside.shape))],
                                                    seed, widths, strict=True)]  # fmt: skip
    reach = np.sqrt(squares[0] + squares[1] + squares[2]).astype(np.float32)
    bumps = ndimage.gaussian_filter(
        rng.standard_normal(inside.shape, dtype=np.float32), 6.0, truncate=2.5
    )
    bumps /= max(float(bumps.std()), 1e-9)
    under = (DISTANCE_ZERO - load_atlas().distance[infarct.box].astype(np.float32)) * DISTANCE_STEP
    # Clots lie under the cortex rather than at the skull.
    return np.asarray(-reach + 1.5 * bumps - 1.5 * np.clip(8 - under, 0, None))

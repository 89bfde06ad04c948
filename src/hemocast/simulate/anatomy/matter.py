"""What the tissue at a point of the head measures: CT numbers of a head, before any scanner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.simulate.anatomy.atlas import DISTANCE_STEP, DISTANCE_ZERO, SHAPE, load_atlas
from hemocast.simulate.anatomy.face import TISSUE_HU, Tissue
from hemocast.simulate.anatomy.shape import FIELD, Shape, atlas_maps
from hemocast.simulate.disease.lesion import Stain, on_box, tissue_ml, tissue_share
from hemocast.volume import BoolArray, FloatArray

if TYPE_CHECKING:
    from hemocast.simulate.anatomy.head import Head

GREY_HU, WHITE_HU, CSF_HU, BLOOD_HU = 38.0, 29.0, 8.0, 66.0
"""CT numbers at 120 kV: grey 37-41, white 25-32, fluid 0-12, clotted blood 50-80 HU (the usual
textbook ranges; the values within them are ours)."""

BORDER_LOST = 0.15
"""Net water uptake at which cortex and white matter of an infarct look alike; ours. Up to there the
white matter hardly changes and the cortex falls to its level."""

_SKULL_HU = np.interp(
    np.linspace(0, 1, 33), [0, 0.06, 0.25, 0.4, 0.65, 0.8, 0.95, 1],
    [900, 1500, 1400, 1000, 1000, 1450, 1550, 1000],
).astype(np.float32)  # fmt: skip
"""CT number of the skull from its inner to its outer surface: tables with diploe between. Ours, set
so that blurred slices measure what the vault of a real head scanned at 120 kV does."""

_TISSUE_HU = np.zeros(32, dtype=np.float32)
for _kind, _hu in TISSUE_HU.items():
    _TISSUE_HU[_kind] = _hu


def measure(
    head: Head,
    voxel: FloatArray,
    own: FloatArray,
    water_uptake: float,
    stains: dict[str, NDArray[np.uint8]],
) -> tuple[FloatArray, FloatArray | None]:
    """Return the CT numbers and the infarct's share of the pixels of one slice.

    Parameters
    ----------
    head : Head
        Whose.
    voxel : ndarray of float32, shape (planes, 3, rows, columns)
        Atlas voxel (z, y, x) of every point; a slice is the mean of its planes.
    own : ndarray of float32, shape (3, rows, columns)
        The head's threshold, pallor (HU) and thickness of skull (mm) there.
    water_uptake : float
        Net water uptake of the infarct, 0 to 1.
    stains : dict of ndarray of uint8
        Of the whole atlas grid, as `spread` gives them.

    Returns
    -------
    hu : ndarray of float32, shape (rows, columns)
    infarct : ndarray of float32, shape (rows, columns), or None
    """
    atlas = load_atlas()
    nearest = np.rint(voxel)
    at = ((nearest[:, 0] * SHAPE[1] + nearest[:, 1]) * SHAPE[2] + nearest[:, 2]).astype(np.intp)
    tissue = head.tissue.ravel().take(at)
    distance = atlas.distance.ravel().take(at)
    threshold, pallor, thickness = own
    share = tissue_share(atlas.level.ravel().take(at), threshold)
    white = atlas.white.ravel().take(at) * np.float32(1 / 255)
    matter = _matter(white, pallor)
    solid = tissue >= Tissue.BONE
    infarct = None
    if "infarct" in stains:
        part = stains["infarct"].ravel().take(at) * np.float32(1 / 255)
        # What is lost of the contrast is turned about the infarct's mean, which stays as asked.
        lost = np.float32(min(water_uptake / BORDER_LOST, 1))
        wet = matter + lost * (np.float32(head.infarct_hu) - matter)
        matter += part * (np.float32(1 - water_uptake) * wet - matter)
        infarct = (part * share * ~solid).mean(axis=0)
    fluid = np.where(
        (tissue == Tissue.FALX) | (tissue == Tissue.SINUS_BLOOD), np.float32(51), np.float32(CSF_HU)
    )
    hu = fluid + share * (matter - fluid)
    if "blood" in stains:
        part = stains["blood"].ravel().take(at) * np.float32(1 / 255)
        hu += part * (BLOOD_HU - hu)
    depth = distance * np.float32(DISTANCE_STEP) - np.float32(
        DISTANCE_ZERO * DISTANCE_STEP + head.shape.gap
    )
    depth /= thickness
    table = _TISSUE_HU[tissue]
    bone = _SKULL_HU[np.clip(depth * 32, 0, 32).astype(np.intp)]
    hu = np.where(solid | (depth > 1), table, np.where(depth < 0, hu, bone))
    return hu.mean(axis=0), infarct


def _matter(white: FloatArray, pallor: FloatArray) -> FloatArray:
    """Return the CT number of healthy tissue from its share of white matter."""
    hu: FloatArray = np.float32(GREY_HU) - white * (np.float32(GREY_HU - WHITE_HU) + pallor)
    return hu


def mean_matter(stain: Stain, shape: Shape, free: BoolArray) -> float:
    """Return the mean CT number of the healthy tissue a stain covers, HU.

    Parameters
    ----------
    stain : Stain
        Where.
    shape : Shape
        The head's own maps.
    free : ndarray of bool
        Of the whole atlas: False where something else took the tissue's place.
    """
    size = stain.share.shape
    weights = tissue_ml(atlas_maps(shape), stain.start, size, 1, free) * stain.share
    white = load_atlas().white[stain.box] * np.float32(1 / 255)
    hu = _matter(white, on_box(shape.pallor, stain.start, size, FIELD))
    return float((hu * weights).sum(dtype=np.float64) / max(weights.sum(dtype=np.float64), 1e-9))


def spread(stain: Stain) -> NDArray[np.uint8]:
    """Return a stain on the whole atlas grid."""
    full = np.zeros(SHAPE, dtype=np.uint8)
    z, y, x = stain.start
    a, b, c = stain.share.shape
    full[z : z + a, y : y + b, x : x + c] = stain.share
    return full

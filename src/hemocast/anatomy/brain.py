"""Where the brain is: everything inside the dura, above the foramen magnum.

What is inside, the tissue map says, and bone that lies in front, behind, to the right and to the
left; the map knows it where bone is missing, bone knows it to a millimetre. Of the soft tissue
there a core more than 5 mm from anything else is kept (this cuts the thin ways out: optic canals,
foramina, sinuses), its largest part grown back. Fluid is inside the range kept, so infarcts,
atrophy and ventricles leave no holes; in slices with metal, whose streaks leave that range, the map
alone decides. On the Volume's own grid, the rim darkened or brightened by bone is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hemocast.anatomy.checks import CROSS, check_brain, check_hounsfield
from hemocast.anatomy.grid import (
    Coarse,
    bounding_box,
    coarsen,
    linear_weights,
    slices_together,
)
from hemocast.anatomy.order import check_order
from hemocast.anatomy.skull import Gap, Metal, find_gap, find_metal
from hemocast.anatomy.tissue.map import BONE_HU, TissueMap, map_tissue
from hemocast.errors import NotABrain
from hemocast.volume import BoolArray, FloatArray, Volume

# Fluid with its noise at one end, clotted blood and enhancing partial volume at the other.
SOFT_HU = (-20.0, 130.0)
CORE_MM = 5.0
GROW_MM = 6.5
# The foramen magnum is about 8 cm2 (30 x 35 mm): what is thinner than this below is cord.
NECK_CM2 = 11.0
# Within this of the border, what is brighter than brain (averaged over the box) is bone's doing.
RIM_MM = 3.0
RIM_HU = 80.0
RIM_BOX_MM = 2.0
CRUMB_BOX_MM = 6.0
# Ours: what the map holds for inside the dura, and what it is sure is not.
INSIDE, OUTSIDE = 0.5, 0.02
LEAST_ML = 300.0


@dataclass(frozen=True)
class Brain:
    """Where brain is in a Volume.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
        Brain with its fluid spaces, on the Volume's grid.
    volume_ml : float
        Volume of the mask, mL.
    tissue : TissueMap or None
        What the head holds; None where the mask came from elsewhere.
    gap : Gap or None
        The largest place where no bone covers it.
    metal : Metal or None
        Metal in or near it.
    order : str or None
        What may be wrong with the order of the slices, in words.
    """

    mask: BoolArray
    volume_ml: float
    tissue: TissueMap | None = None
    gap: Gap | None = None
    metal: Metal | None = None
    order: str | None = None

    @property
    def doubts(self) -> tuple[str, ...]:
        """What was accepted but may matter, in words."""
        found = tuple(found.doubt for found in (self.gap, self.metal) if found)
        return (*found, self.order) if self.order else found


def find_brain(volume: Volume) -> Brain:
    """Find the brain in a plain head CT.

    Parameters
    ----------
    volume : Volume
        One scan; slices of up to 10 mm, head tilted by up to about 30 degrees, base or vertex
        possibly cut, bone possibly missing.

    Returns
    -------
    Brain
        The inside of the skull: brain and fluid, without skull, dura's bright rim, orbits, air.

    Raises
    ------
    NotHounsfield
        The values cannot be CT numbers.
    BadGeometry
        What the slices show does not follow one another.
    NotABrain
        There is no brain inside a skull.
    """
    coarse = coarsen(volume.hu, volume.affine, volume.spacing)
    check_hounsfield(coarse.hu)
    order = check_order(coarse)
    skull = _skull(coarse)
    tissue = map_tissue(volume)
    first = [(factor - 1) / 2 for factor in coarse.factors]
    dura = tissue.at_voxels(tissue.inside, coarse.hu.shape, tuple(first), coarse.factors)
    metal = find_metal(volume, coarse, dura > INSIDE)
    box = bounding_box(skull | (dura > INSIDE), (0, 2, 2))
    inside = np.zeros(skull.shape, np.bool_)
    soft = (coarse.hu > SOFT_HU[0]) & (coarse.hu <= SOFT_HU[1])
    if metal:
        soft[metal.levels] |= dura[metal.levels] > INSIDE
    enclosed = _enclosed(skull[box])
    # Where the map sees no brain at all it has no word: bone alone decides, and the checks refuse.
    if np.count_nonzero(dura > INSIDE) * float(np.prod(coarse.spacing)) / 1000 > LEAST_ML:
        enclosed = (enclosed & (dura[box] > OUTSIDE)) | (dura[box] > INSIDE)
    inside[box] = _inside(soft[box] & enclosed, coarse.spacing)
    if not inside.any():
        raise NotABrain(
            "There is no soft tissue of brain density inside bone",
            "a plain CT of a head",
            "Give the head series, or leave this scan out",
        )
    check_brain(coarse.hu, inside, skull, coarse.spacing)
    mask = _refine(volume, coarse, inside)
    voxel_ml = abs(float(np.linalg.det(volume.affine[:3, :3]))) / 1000
    volume_ml = float(np.count_nonzero(mask)) * voxel_ml
    return Brain(mask, volume_ml, tissue, find_gap(coarse, inside), metal, order)


def _skull(coarse: Coarse) -> BoolArray:
    """Largest piece of bone: without the head holder and calcifications."""
    from scipy import ndimage

    bone = coarse.hu > BONE_HU
    labels, n = ndimage.label(bone, np.ones((3, 3, 3), np.bool_))
    if n == 0:
        raise NotABrain(
            "There is no bone",
            "a plain CT of a head",
            "Give the head series, or leave this scan out",
        )
    return _largest(labels)


def _inside(soft: BoolArray, spacing: tuple[float, float, float]) -> BoolArray:
    """Brain among the soft tissue that is enclosed, on the coarse grid; all False if none."""
    from scipy import ndimage

    core = ndimage.distance_transform_edt(soft, sampling=spacing) > CORE_MM
    labels, n = ndimage.label(core)
    if n == 0:
        return np.zeros(soft.shape, np.bool_)
    core = _largest(labels)
    grown = soft & (ndimage.distance_transform_edt(~core, sampling=spacing) <= GROW_MM)
    opened = ndimage.binary_opening(grown, CROSS) | core
    inside = _without_neck(_largest(ndimage.label(opened)[0]), spacing)
    # Calcifications and gas are islands in three dimensions; spurs of the skull are not.
    outside, _ = ndimage.label(np.pad(~inside, 1, constant_values=True))
    filled: BoolArray = (outside != outside[0, 0, 0])[1:-1, 1:-1, 1:-1]
    return filled


def _enclosed(bone: BoolArray) -> BoolArray:
    """Return where bone lies in all four directions within the slice."""
    from scipy import ndimage

    inside = np.ones(bone.shape, np.bool_)
    for axis in (1, 2):
        inside &= np.maximum.accumulate(bone, axis=axis)
        inside &= np.flip(np.maximum.accumulate(np.flip(bone, axis), axis=axis), axis)
    # A gap of one or two blocks in the bone would cast a line of shadow across the brain.
    size = (1, 5, 5)
    closed: BoolArray = ndimage.minimum_filter(ndimage.maximum_filter(inside, size), size)
    return closed


def _without_neck(inside: BoolArray, spacing: tuple[float, float, float]) -> BoolArray:
    """Cut off the cord: the thin slices below the first that is as wide as a brain."""
    area_cm2 = inside.sum(axis=(1, 2)) * spacing[1] * spacing[2] / 100
    widest = int(area_cm2.argmax())
    thin = np.flatnonzero(area_cm2[:widest] < NECK_CM2)
    if thin.size:
        inside = inside.copy()
        inside[: thin[-1] + 1] = False
    return inside


def _largest(labels: np.ndarray) -> BoolArray:
    # Slice by slice: all labels at once would be copied as long integers.
    most = int(labels.max())
    sizes = np.zeros(most + 1, np.intp)
    for level in labels:
        sizes += np.bincount(level.ravel(), minlength=most + 1)
    sizes[0] = 0
    largest: BoolArray = labels == sizes.argmax()
    return largest


def _refine(volume: Volume, coarse: Coarse, inside: BoolArray) -> BoolArray:
    """Bring the coarse mask to the Volume's grid and take off the rim that bone brightens.

    Slices that are taken together (`slices_together`) share one mask.
    """
    from scipy import ndimage

    mask = np.zeros(volume.hu.shape, np.bool_)
    box = bounding_box(inside, (1, 1, 1))
    # A slice's end beyond the array is harmless: the last block may not be whole.
    z, y, x = (
        slice(part.start * factor, part.stop * factor)
        for part, factor in zip(box, coarse.factors, strict=True)
    )
    steps = [max(1, round(RIM_MM / mm)) for mm in coarse.spacing]
    deep = ndimage.minimum_filter(inside, size=[2 * step + 1 for step in steps])
    weights = _weights(coarse, mask.shape, (z, y, x))
    wide, inner = (_in_plane(blocks, weights) for blocks in (inside, deep))
    kept, hu = mask[z, y, x], volume.hu[z, y, x]
    # Layer by layer: thin slices are many, and all of this happens within a layer.
    ends = [*range(0, len(hu), slices_together(volume.spacing[0])), len(hu)]
    layers = np.empty((len(ends) - 1, *hu.shape[1:]), np.bool_)
    for layer, (low, high) in zip(layers, pairwise(ends), strict=True):
        mean = hu[low:high].mean(axis=0)
        rim = ndimage.uniform_filter(mean, _box(RIM_BOX_MM, volume), mode="nearest") > RIM_HU
        place = weights[0][low:high].mean(axis=0)
        whole = _between(wide, place) > 0.5
        whole &= (_between(inner, place) > 0.5) | ~rim
        # Crumbs between bony ridges, where less than 2/5 of the surroundings are brain.
        share = ndimage.uniform_filter(whole.astype(np.float32), _box(CRUMB_BOX_MM, volume))
        layer[...] = whole & (share > 0.4)
    labels, _ = ndimage.label(layers)
    kept[...] = np.repeat(_largest(labels), np.diff(ends), axis=0)
    return mask


def _box(mm: float, volume: Volume) -> tuple[int, int]:
    """Pixels of a box of about `mm` within the slice: odd, at least 3."""
    rows, columns = (2 * max(1, round(mm / 2 / step)) + 1 for step in volume.spacing[1:])
    return rows, columns


def _weights(
    coarse: Coarse, shape: tuple[int, ...], box: tuple[slice, slice, slice]
) -> list[FloatArray]:
    """Give for z, y and x how a Volume's voxels inside a box are interpolated from blocks."""
    return [
        linear_weights((np.arange(n) - (factor - 1) / 2) / factor, count)[part]
        for n, count, factor, part in zip(shape, coarse.hu.shape, coarse.factors, box, strict=True)
    ]


def _in_plane(blocks: BoolArray, weights: list[FloatArray]) -> FloatArray:
    """Interpolate every layer of a coarse map linearly at the pixels of the box."""
    _, wy, wx = weights
    return np.stack([wy @ layer.astype(np.float32) @ wx.T for layer in blocks])


def _between(layers: FloatArray, weights: FloatArray) -> FloatArray:
    """Interpolate linearly between the one or two layers that have a weight."""
    first, *second = np.flatnonzero(weights)
    found: FloatArray = layers[first] * weights[first]
    for layer in second:
        found += layers[layer] * weights[layer]
    return found

"""Does the scan already show blood? A screen for clusters as dense as clotted blood.

Several ways are joined: what the tissue map takes for blood where CT numbers agree, compact
clusters by CT numbers alone, and clusters denser than the grey matter round about. Bone brightens
the brain under it, all round; blood lies in one place. So CT numbers are judged against those of
the same slice and of the same depth under the skull, and against the grey matter near by. It is not
a reader of hemorrhage: petechiae and blood as dense as brain are beyond it. Thin layers under the
skull are looked for by `hemocast.signs.subdural`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain
from hemocast.anatomy.grid import Coarse, bounding_box, coarsen_around
from hemocast.anatomy.tissue import Kind, TissueMap
from hemocast.signs.places import DENSE, FAR_MM, VENTRICLES, Line, distances
from hemocast.volume import BoolArray, FloatArray, Volume

# Fresh clot reads about 50 to 90 HU, grey matter 35 to 45; calcium above 100. The smooth mean of a
# small clot is a little below its own.
CLOT_HU, MAPPED_HU = 50.0, 47.0
# Calcium, or the smooth mean of a small one; but a clot that reads 90 HU holds scattered noise
# above both: what is dense in a whole and nowhere more than a clot can be is none.
CALCIUM_HU, SMOOTH_CALCIUM_HU = 100.0, 85.0
DENSE_HU, DENSEST_CLOT_HU, WHOLE_ML = 70.0, 105.0, 0.5
GREY_HU = 38.0
# Ours. A bleed measures less than it is, for its rim mixes with brain. From the first volume on
# blood is present, from the second it is doubted. What CT numbers alone take for blood must be more
# than veins, dura and faint calcium of ordinary heads bring together; less is enough of what the
# tissue map holds for blood, each place counting by its probability.
COMPACT_ML = 0.9, 0.4
MAPPED_ML = 0.4, 0.15
VENTRICLE_ML = 0.3, 0.2
OVER_GREY_ML = 0.4, 0.2
LEAST_PROBABLE = 0.1
# Ours. Grey matter: what all but a fifth of the tissue of the same slice within `ROUND_MM` is less
# dense than, found on cells of `CELL_MM` in steps of `STEP_HU`. Blood is denser by so much, and in
# ventricles, within `VENTRICLE_MM` of where they usually lie, may be a sheet. Where less than
# `LEAST_TISSUE` of what is round about is tissue, nothing is told.
ROUND_MM, CELL_MM, TISSUE_HU, DENSEST_GREY_HU, STEP_HU = 25.0, 4.0, 20.0, 60.0, 2.0
GREY, OVER_GREY_HU, OVER_GREY_IN_VENTRICLES_HU, LEAST_HU = 0.8, 8.0, 10.0, 40.0
VENTRICLE_MM = 14.0
LEAST_TISSUE = 0.02
# Within so much of sinuses, tentorium and usual calcifications what is dense counts by half. Ours.
USUAL_MM, USUAL_COUNTS = 7.0, 0.5
# Dural sinuses lie within this of the skull.
BORDER_MM = 3.0
# Bone smears inwards as far as this.
_SMEARED_MM = 20
# Falx, tentorium and vessels are thinner than twice this; at a lower threshold they seem thicker.
SHEET_MM, FAINT_SHEET_MM = 2.0, 3.0
CALCIUM_RIM_MM = 3.0
_BLOCK_MM = 1.0
_SMOOTH_MM = 1.2

LIMIT = (
    "of 1 mL of blood in brain tissue and 2 mL in ventricles nearly all is found or doubted, of a "
    "layer 3 mm thick under one side of the skull half; less, and petechial and small subarachnoid "
    "blood, mostly passes unseen."
)
"""What the screen can do, for whoever reads a result."""


@dataclass(frozen=True)
class Blood:
    """What looks like blood inside the brain.

    Parameters
    ----------
    present : bool
        Whether it is as much as a bleed of 1 to 2 mL measures.
    volume_ml : float
        Volume of all clusters, mL.
    largest_ml : float
        Volume of the largest, mL.
    peak_hu : float
        Highest smoothed CT number in the largest, HU; NaN where there is none.
    slice_number : int or None
        Slice through the middle of the largest, from 1 at the bottom; None where too little was
        found to doubt.
    """

    present: bool
    volume_ml: float
    largest_ml: float
    peak_hu: float
    slice_number: int | None = None

    @property
    def doubt(self) -> str | None:
        """What may be blood, in words; None where it is present, or nothing was found."""
        if self.present or self.slice_number is None:
            return None
        return f"may hold blood of about {self.largest_ml:.1f} mL, at slice {self.slice_number}"


_NOTHING = Blood(present=False, volume_ml=0.0, largest_ml=0.0, peak_hu=float("nan"))


def find_blood(volume: Volume, brain: Brain, pose: Alignment | None = None) -> Blood:
    """Look for a hematoma inside the brain.

    All at least 3 mm from the brain's border and away from calcifications: clusters that the tissue
    map takes for blood and whose smoothed CT numbers exceed 47 HU; and clusters above 50 HU in
    places thicker than 4 mm (which leaves out falx, tentorium and vessels), or 8 HU denser than
    four fifths of the tissue round about in those thicker than 6 mm, though not beside metal, whose
    streaks are as bright. Where a slice as a whole is bright, as beam hardening makes the vertex,
    or all that lies as deep under the skull, the thresholds rise with it. Where the head's pose is
    known: also clusters in the ventricles' place 10 HU denser than that tissue, however thin; and
    what lies along venous sinuses, in choroid plexus or pineal counts by half, or must exceed
    50 HU.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    pose : Alignment or None
        How it is set upright; None where that is not known.
    """
    from scipy import ndimage

    tissue, share = coarsen_around(volume, brain.mask, in_plane_mm=_BLOCK_MM)
    mask = share > 0.5
    smooth = _smooth(tissue.hu, mask, tissue.spacing)
    deep = ndimage.minimum_filter(mask, size=_box(BORDER_MM, tissue.spacing), mode="nearest")
    likely = deep & ~_near_calcium(tissue, smooth)
    threshold = _threshold(smooth, mask, tissue.spacing)
    scene = _Scene(volume, brain, pose, tissue)
    probable = scene.blood()
    usual = scene.away(DENSE) < USUAL_MM
    counts = np.where(usual, np.float32(USUAL_COUNTS), np.float32(1))
    mapped = likely & (smooth > threshold - (CLOT_HU - MAPPED_HU)) & (probable > LEAST_PROBABLE)
    found = [scene.largest(np.where(mapped, smooth, 0), probable * counts, MAPPED_ML)]
    if brain.metal is None:
        dense = _without_sheets(likely & (smooth > threshold), tissue.spacing, SHEET_MM)
        found.append(scene.largest(np.where(dense, smooth, 0), counts, COMPACT_ML))
        over = smooth - _grey(smooth, mask, tissue.spacing)
        over[~likely | (smooth <= LEAST_HU)] = 0
        within = (over > OVER_GREY_IN_VENTRICLES_HU) & (scene.away(VENTRICLES) < VENTRICLE_MM)
        found.append(scene.largest(np.where(within, smooth, 0), counts, VENTRICLE_ML))
        thick = _without_sheets((over > OVER_GREY_HU) & ~usual, tissue.spacing, FAINT_SHEET_MM)
        found.append(scene.largest(np.where(thick, smooth, 0), counts, OVER_GREY_ML))
    return max(found, key=lambda blood: (blood.present, blood.doubt is not None, blood.largest_ml))


@dataclass(frozen=True)
class _Scene:
    """A scan on the blocks that blood is looked for on, and what is known about its places."""

    volume: Volume
    brain: Brain
    pose: Alignment | None
    tissue: Coarse

    def blood(self) -> FloatArray:
        """Return the tissue map's probability of blood, 0 where there is no map."""
        if self.brain.tissue is None:
            return np.zeros(self.tissue.hu.shape, np.float32)
        return self._here(self.brain.tissue, self.brain.tissue.kinds[Kind.BLOOD])

    def away(self, lines: tuple[Line, ...]) -> FloatArray:
        """Return the distance from some lines, mm; far, where it is not known."""
        if self.brain.tissue is None or self.pose is None:
            return np.full(self.tissue.hu.shape, FAR_MM, np.float32)
        mm = distances(self.brain.tissue, self.volume.affine, self.pose, lines)
        return self._here(self.brain.tissue, mm)

    def _here(self, mapped: TissueMap, values: FloatArray) -> FloatArray:
        to_voxel = np.linalg.inv(self.volume.affine) @ self.tissue.affine
        first, step = to_voxel[2::-1, 3], np.diag(to_voxel)[2::-1]
        return mapped.at_voxels(values, self.tissue.hu.shape, tuple(first), tuple(step))

    def largest(
        self, clusters: FloatArray, counts: FloatArray, limits_ml: tuple[float, float]
    ) -> Blood:
        """Say what the cluster that counts most amounts to.

        `clusters` is smooth HU, 0 outside them.
        """
        from scipy import ndimage

        labels, n = ndimage.label(clusters > 0)
        if n == 0:
            return _NOTHING
        voxel_ml = float(np.prod(self.tissue.spacing)) / 1000
        sizes = np.bincount(labels.ravel())[1:] * voxel_ml
        held = labels > 0
        counted = np.bincount(labels[held], weights=counts[held])[1:] * voxel_ml
        largest = int(counted.argmax())
        where = labels == largest + 1
        middle = np.argwhere(where).mean(axis=0)
        at = np.linalg.inv(self.volume.affine) @ self.tissue.affine @ [*middle[::-1], 1]
        return Blood(
            present=bool(counted[largest] >= limits_ml[0]),
            volume_ml=float(sizes.sum()),
            largest_ml=float(sizes[largest]),
            peak_hu=float(clusters[where].max()),
            slice_number=round(float(at[2])) + 1 if counted[largest] >= limits_ml[1] else None,
        )


def _grey(smooth: FloatArray, mask: BoolArray, spacing: tuple[float, float, float]) -> FloatArray:
    """Return the CT number of the grey matter about each place, HU; infinite where tissue lacks."""
    from scipy import ndimage

    blocks = [max(1, round(CELL_MM / mm)) for mm in spacing[1:]]
    rows, columns = (np.arange(n) // side for n, side in zip(smooth.shape[1:], blocks, strict=True))
    cells = (len(smooth), int(rows[-1]) + 1, int(columns[-1]) + 1)
    at = (np.arange(cells[0])[:, None, None] * cells[1] + rows[:, None]) * cells[2] + columns
    # A histogram of each cell, then of all cells about it; what is denser fills the last step.
    tissue = mask & (smooth > TISSUE_HU)
    steps = int((DENSEST_GREY_HU - TISSUE_HU) / STEP_HU) + 1
    step = np.minimum((smooth[tissue] - TISSUE_HU) / STEP_HU, steps - 1).astype(np.intp)
    counts = np.bincount(at[tissue] * steps + step, minlength=int(np.prod(cells)) * steps)
    reach = [round(ROUND_MM / (mm * side)) for mm, side in zip(spacing[1:], blocks, strict=True)]
    box = (1, *(2 * far + 1 for far in reach), 1)
    held = counts.reshape(*cells, steps).astype(np.float32)
    up_to = ndimage.uniform_filter(held, box, mode="constant").cumsum(axis=-1)
    wanted = GREY * up_to[..., -1:]
    below = np.concatenate([np.zeros_like(wanted), up_to[..., :-1]], axis=-1)
    # Whole steps below what is wanted, and a part of the one in which it is reached.
    parts = np.clip((wanted - below) / np.maximum(up_to - below, 1e-6), 0, 1)
    grey: FloatArray = TISSUE_HU + STEP_HU * parts.sum(axis=-1)
    lacks = up_to[..., -1] < LEAST_TISSUE * blocks[0] * blocks[1]
    grey[lacks | (grey > DENSEST_GREY_HU)] = np.inf
    return grey[:, rows][:, :, columns]


def _near_calcium(tissue: Coarse, smooth: FloatArray) -> BoolArray:
    """Return what is calcium or within `CALCIUM_RIM_MM` of it."""
    from scipy import ndimage

    calcium = (tissue.hu > CALCIUM_HU) | (smooth > SMOOTH_CALCIUM_HU)
    labels, n = ndimage.label(smooth > DENSE_HU)
    sizes = np.bincount(labels.ravel(), minlength=n + 1) * np.prod(tissue.spacing) / 1000
    held = labels > 0
    densest = np.zeros(n + 1, np.float32)
    np.maximum.at(densest, labels[held], smooth[held])
    clot = (sizes >= WHOLE_ML) & (densest < DENSEST_CLOT_HU)
    clot[0] = False
    calcium &= ~clot[labels]
    near: BoolArray = ndimage.maximum_filter(calcium, size=_box(CALCIUM_RIM_MM, tissue.spacing))
    return near


def _box(mm: float, spacing: tuple[float, float, float]) -> list[int]:
    """Sides of the box that reaches `mm` to all sides of a voxel, in voxels."""
    return [2 * round(mm / step) + 1 for step in spacing]


def _without_sheets(
    dense: BoolArray, spacing: tuple[float, float, float], sheet_mm: float
) -> BoolArray:
    """Keep what is thicker than twice `sheet_mm`, grown back to its own outline."""
    from scipy import ndimage

    thick = np.zeros_like(dense)
    if not dense.any():
        return thick
    near = bounding_box(dense, (1, 4, 4))
    core = ndimage.distance_transform_edt(dense[near], sampling=spacing) > sheet_mm
    if core.any():
        away = ndimage.distance_transform_edt(~core, sampling=spacing)
        thick[near] = dense[near] & (away <= sheet_mm + 1)
    return thick


def _smooth(hu: FloatArray, mask: BoolArray, spacing: tuple[float, float, float]) -> FloatArray:
    """Smooth CT numbers within the brain alone."""
    from scipy import ndimage

    sigma = [_SMOOTH_MM / mm for mm in spacing]
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma)
    smooth: FloatArray = ndimage.gaussian_filter(np.where(mask, hu, 0), sigma)
    np.divide(smooth, weight, out=smooth, where=mask)
    smooth[~mask] = 0
    return smooth


def _threshold(
    smooth: FloatArray, mask: BoolArray, spacing: tuple[float, float, float]
) -> FloatArray:
    """HU from which voxels count as blood, shape (z, y, x)."""
    middle = [
        float(np.median(level[inside])) if inside.any() else 0.0
        for level, inside in zip(smooth, mask, strict=True)
    ]
    median = np.array(middle, np.float32)[:, None, None]
    last = round(_SMEARED_MM / spacing[1])
    depth = np.minimum([_depth(inside) for inside in mask], last)
    excess = smooth - median
    rise = np.zeros(last + 1, np.float32)
    for at in range(1, last):
        there = excess[depth == at]
        if there.size:
            rise[at] = max(0.0, float(np.median(there)))
    threshold: FloatArray = CLOT_HU + np.maximum(median - GREY_HU, 0) + rise[depth]
    return threshold


def _depth(inside: BoolArray) -> NDArray[np.intp]:
    """Steps from what is not brain within a slice; its own edge is none, shape (y, x)."""
    from scipy import ndimage

    steps = ndimage.distance_transform_cdt(np.pad(inside, 1), "chessboard")[1:-1, 1:-1]
    return np.asarray(steps, np.intp)

"""Where blood lies: in brain tissue, in ventricles, in the subarachnoid space, under the dura.

What the tissue map takes for blood, and is as dense, deep enough under the dura that bone does not
brighten it; a piece is named by what the template holds there: tissue, ventricles, or other fluid.
Under the dura bone makes all bright: there only the look of `hemocast.signs.subdural` tells, and no
volume. Whether a scan shows blood at all, and is refused, is for the screen of
`hemocast.signs.blood`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain
from hemocast.anatomy.atlas.territories import ANCHORS
from hemocast.anatomy.template import CENTRE_MM, FIRST_VOXEL_MM, read_map
from hemocast.anatomy.tissue import Kind, TissueMap
from hemocast.signs.places import VENTRICLES, distances
from hemocast.signs.subdural import look_at_rim
from hemocast.volume import Affine, BoolArray, Volume

Room = Literal["parenchyma", "ventricles", "subarachnoid"]
ROOMS: tuple[Room, ...] = ("parenchyma", "ventricles", "subarachnoid")

# Blocks that are blood beyond doubt, and those that belong to it: deeper under the dura than so
# many mm, more probable, denser. Ours, chosen on simulated heads and a real one without blood.
CERTAIN = (9.0, 0.5, 48.0)
BELONGS = (6.0, 0.3, 45.0)
LEAST_ML = 0.2
"""Of the first, in a piece that counts. Ours."""
MIDLINE_MM = 3.0
VENTRICLE_MM, TISSUE = 6.0, 0.7
"""Where the template holds less tissue than this share, blood lies in fluid: in ventricles if it is
within so many mm of their middle. Ours."""

LIMIT = "Where it lies is likely, not certain; small and thin bleeds pass unseen."
"""What can be said of it, for whoever reads a result."""


@dataclass(frozen=True)
class Piece:
    """One piece of blood.

    Parameters
    ----------
    room : str
        One of `ROOMS`.
    volume_ml : float
        Expected volume by the tissue map's probabilities, mL.
    side : {"left", "right"} or None
        Of most of it; None in the middle, or where sides are not known.
    territory : str or None
        Of the artery, for blood in tissue: that of the nearest anchor.
    slice_number : int
        Through its middle, from 1 at the bottom.
    middle_mm : tuple of float
        Its middle in the scan's millimetres (x, y, z; RAS+).
    evidence : dict of str to float
        What its room was named by.
    """

    room: Room
    volume_ml: float
    side: str | None
    territory: str | None
    slice_number: int
    middle_mm: tuple[float, float, float]
    evidence: dict[str, float]


@dataclass(frozen=True)
class Bleeding:
    """All blood of a scan that is seen.

    Parameters
    ----------
    pieces : tuple of Piece
        The largest first.
    rim_slice : int or None
        Slice, from 1 at the bottom, of what may be a thin layer under the dura.
    """

    pieces: tuple[Piece, ...]
    rim_slice: int | None = None

    def ml(self, room: Room) -> float:
        """Return what lies in one room, mL."""
        return float(sum(one.volume_ml for one in self.pieces if one.room == room))

    @property
    def volume_ml(self) -> float:
        """What lies deeper than the rim, mL."""
        return float(sum(one.volume_ml for one in self.pieces))


def measure_bleeding(volume: Volume, brain: Brain, pose: Alignment) -> Bleeding | None:
    """Say where blood lies.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    pose : Alignment
        How it is set upright.

    Returns
    -------
    Bleeding or None
        None where there is no tissue map, or metal lies near.
    """
    from scipy import ndimage

    if brain.tissue is None or brain.metal is not None:
        return None
    rim = look_at_rim(volume, brain, pose)
    at_rim = rim.slice_number if rim and rim.doubt else None
    scene = _Scene(brain.tissue, volume.affine, pose)
    labels, count = ndimage.label(scene.chosen(BELONGS), np.ones((3, 3, 3)))
    if not count:
        return Bleeding((), at_rim)
    blood = brain.tissue.kinds[Kind.BLOOD].ravel()
    certain = scene.chosen(CERTAIN).ravel()
    core = np.bincount(labels.ravel(), weights=certain * scene.block_ml)[1:]
    held = np.bincount(labels.ravel(), weights=blood * scene.block_ml)[1:]
    pieces = [
        scene.piece(labels == at + 1, float(held[at])) for at in np.flatnonzero(core >= LEAST_ML)
    ]
    return Bleeding(tuple(sorted(pieces, key=lambda one: -one.volume_ml)), at_rim)


class _Scene:
    """The blocks of a scan, and where they lie in the head."""

    def __init__(self, tissue: TissueMap, to_mm: Affine, pose: Alignment) -> None:
        from scipy import ndimage

        self._tissue, self._to_mm, self._pose = tissue, to_mm, pose
        self._within = tissue.inside > 0.5
        spacing = np.linalg.norm(to_mm[:3, :3], axis=0)[::-1] * np.array(tissue.blocks.step)
        self.block_ml = float(np.prod(spacing)) / 1000
        self._depth = ndimage.distance_transform_edt(self._within, sampling=spacing)
        self._from_ventricles = distances(tissue, to_mm, pose, VENTRICLES)

    def chosen(self, rule: tuple[float, float, float]) -> BoolArray:
        """Return the blocks that are deeper, more probable and denser than a rule says."""
        deep_mm, probable, hu = rule
        blood, blocks = self._tissue.kinds[Kind.BLOOD], self._tissue.blocks
        return np.asarray((self._depth > deep_mm) & (blood > probable) & (blocks.hu > hu), np.bool_)

    def piece(self, mask: BoolArray, volume_ml: float) -> Piece:
        """Name one piece."""
        weight = self._tissue.kinds[Kind.BLOOD][mask]
        places = np.argwhere(mask) * np.array(self._tissue.blocks.step)
        voxels = places + np.array(self._tissue.blocks.first)
        mm = np.column_stack([voxels[:, ::-1], np.ones(len(voxels))]) @ self._to_mm.T
        template = self._template(mm)
        line = float(np.average(self._from_ventricles[mask], weights=weight))
        tissue = float(np.average(_tissue_at(template), weights=weight))
        room: Room = "parenchyma"
        if tissue < TISSUE:
            room = "ventricles" if line < VENTRICLE_MM else "subarachnoid"
        x, y, z, _ = (float(one) for one in np.average(mm, axis=0, weights=weight))
        middle = np.average(template, axis=0, weights=weight)
        side = None
        if self._pose.sides_known and abs(middle[0]) > MIDLINE_MM:
            side = "right" if middle[0] > 0 else "left"
        number = round(float(np.average(voxels[:, 0], weights=weight))) + 1
        return Piece(
            room, volume_ml, side, _territory(middle) if room == "parenchyma" else None, number,
            (x, y, z), {"line_mm": line, "tissue": tissue},
        )  # fmt: skip

    def _template(self, mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the template's millimetres (n, 3) of places (n, 4) in the scan's."""
        upright = (mm @ np.linalg.inv(self._pose.matrix).T)[:, :3]
        return np.asarray(upright / np.array(self._pose.stretch) + np.array(CENTRE_MM))


def _tissue_at(template: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the template's share of grey and white matter at places (n, 3), 0 to 1."""
    maps = [read_map(name) for name in ("gm", "wm")]
    at = np.rint(template - np.array(FIRST_VOXEL_MM)).astype(np.intp)
    x, y, z = np.clip(at, 0, np.array(maps[0].shape[::-1]) - 1).T
    return np.asarray(sum(one[z, y, x].astype(np.float64) for one in maps) / 255)


def _territory(mni: NDArray[np.float64]) -> str:
    """Return the territory whose anchor is nearest, its branches as one."""
    place = np.array([abs(mni[0]), mni[1], mni[2]])
    away = {
        name: min(float(np.linalg.norm(place - np.array(one))) for one in anchors)
        for name, anchors in ANCHORS.items()
    }
    return min(away, key=lambda name: away[name]).partition(" ")[0]

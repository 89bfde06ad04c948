"""Everything of the head that is not brain or skull vault, as simple solids in MNI millimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.anatomy.atlas.solids import Points, ellipsoid
from hemocast.simulate.anatomy.tissue import Tissue
from hemocast.volume import BoolArray, FloatArray

ByteArray = NDArray[np.uint8]


@dataclass(frozen=True)
class FineGrid:
    """The atlas grid of 1 mm, or a part of it, while structures are put in.

    Parameters
    ----------
    points : Points
        MNI mm.
    code : ndarray of uint8, shape (z, y, x)
        `Tissue` so far; changed in place.
    level, distance : ndarray of float32, shape (z, y, x)
        Brain tissue and signed distance to the hull, mm.
    outside : ndarray of bool, shape (z, y, x)
        Outside the hull and inside the skin, before anything is put in.
    """

    points: Points
    code: ByteArray
    level: FloatArray
    distance: FloatArray
    outside: BoolArray

    def both_sides(self) -> FineGrid:
        """Return the same grid with x as the distance from the midline."""
        return replace(self, points=self.points._replace(x=np.abs(self.points.x)))

    def levels(self, first: int, last: int) -> FineGrid:
        """Return the axial planes from one voxel to before another."""
        part = slice(first, last)
        return FineGrid(
            self.points._replace(z=self.points.z[part]),
            self.code[part],
            self.level[part],
            self.distance[part],
            self.outside[part],
        )


def _outline(points: Points, distance: FloatArray) -> BoolArray:
    """Return the skin's surface: the vault's scalp, the face and the neck."""
    z, y, x = points
    low = np.clip((-z - 20) / 60, 0, 1.5)
    front, back = 84 - 4 * low, -108 + 16 * low
    middle, half = (front + back) / 2, (front - back) / 2
    width = 74 - 9 * low
    face = (np.abs(x / width) ** 2.4 + np.abs((y - middle) / half) ** 2.3 < 1) & (z < -18)
    nose = ellipsoid(points, (0, 84, -62), (13, 20, 26))
    right, left = (ellipsoid(points, (side * 79, -22, -42), (6, 12, 26)) for side in (1, -1))
    outline: BoolArray = (distance < 16.5) & (z > -62) | face | nose | right | left
    return outline


def face_tissues(points: Points, distance: FloatArray) -> tuple[ByteArray, FloatArray]:
    """Return soft tissue, before the fine structures, and depth under the skin, coarse.

    Parameters
    ----------
    points : Points
        MNI mm.
    distance : ndarray of float32, shape (z, y, x)
        Signed distance to the brain's hull, mm.

    Returns
    -------
    code : ndarray of uint8, shape (z, y, x)
        `Tissue`.
    depth : ndarray of float32, shape (z, y, x)
        Millimetres under the skin's surface, negative outside.
    """
    z, y, x = points
    head = ndimage.gaussian_filter(_outline(points, distance).astype(np.float32), 1.5) > 0.5
    depth = ndimage.distance_transform_edt(head, sampling=2)
    depth -= ndimage.distance_transform_edt(~head, sampling=2)
    depth = ndimage.gaussian_filter(depth.astype(np.float32), 0.8)
    code = np.full(head.shape, Tissue.SCALP, dtype=np.uint8)
    ax = np.abs(x)
    # Muscle parted by curved sheets of fat, the same in every head before it is bent.
    rough = np.random.default_rng(20).standard_normal(code.shape, dtype=np.float32)
    sheets = ndimage.gaussian_filter(rough, (5, 3, 3))
    below = (depth > 6) & (z < -22) & (distance > 0)
    code[below] = Tissue.MUSCLE
    code[below & (np.abs(sheets) < 0.18 * sheets.std())] = Tissue.FAT
    temple = (depth > 3) & (ax > 52) & (z < 12) & (z > -40) & (y > -15) & (y < 42) & (distance > 3)
    code[temple] = Tissue.MUSCLE
    return code, depth


def fine_tissues(
    points: Points, *, code: ByteArray, level: FloatArray, distance: FloatArray
) -> None:
    """Put in the structures that need 1 mm: bones and air of the face, eyes, cord, falx.

    Parameters
    ----------
    points : Points
        MNI mm of the atlas grid.
    code : ndarray of uint8, shape (z, y, x)
        `Tissue` so far; changed in place.
    level, distance : ndarray of float32, shape (z, y, x)
        Brain tissue and signed distance to the hull, mm.
    """
    grid = FineGrid(points, code, level, distance, (distance > 1) & (code != Tissue.AIR))
    sides = grid.both_sides()
    _facial_bones(sides.levels(0, 125))  # z below about +12 mm
    _orbits(sides.levels(55, 112))  # z -57..0
    _air_spaces(sides.levels(0, 140))  # z below about +28 mm
    _spine(grid.levels(0, 56))  # z below about -56 mm
    _tentorium(sides.levels(74, 118))  # z -38..6
    _midline(sides)


def _facial_bones(grid: FineGrid) -> None:
    points, code, outside = grid.points, grid.code, grid.outside
    z, y, ax = points
    arch = (np.abs(np.hypot(ax, (y + 2) * 0.75) - 64) < 1.8) & (np.abs(z + 52) < 4) & (y > -16)
    bones = (
        (ellipsoid(points, (30, 52, -66), (22, 22, 24)), Tissue.BONE),  # maxilla
        (ellipsoid(points, (30, 50, -66), (19, 19, 21)), Tissue.CAVITY),
        (arch, Tissue.BONE),  # zygomatic arch
        (ellipsoid(points, (52, 2, -72), (5, 9, 22)), Tissue.BONE),  # ramus of the mandible
        (ellipsoid(points, (47, 30, -40), (7, 14, 14)), Tissue.BONE),  # sphenoid wing
        (ellipsoid(points, (0, 14, -42), (20, 18, 13)), Tissue.BONE),  # sphenoid body
        (ellipsoid(points, (54, -32, -50), (16, 20, 19)), Tissue.BONE),  # mastoid
        (ellipsoid(points, (24, -44, -74), (10, 12, 8)), Tissue.BONE),  # occipital condyles
    )
    for solid, tissue in bones:
        code[solid & outside] = tissue


def _orbits(grid: FineGrid) -> None:
    points, code = grid.points, grid.code
    z, y, ax = points
    outside = grid.outside | (code == Tissue.AIR)
    wall = ellipsoid(points, (31, 57, -36), (20.5, 36, 19.5)) & (y > 24)
    fat = ellipsoid(points, (31, 57, -36), (18.5, 34, 17.5)) & (y > 26)
    code[wall & outside & (y < 68)] = Tissue.BONE
    code[fat & outside & (y < 78)] = Tissue.FAT
    code[(np.hypot(ax - 29 - (y - 62) * 0.25, z + 36) < 2) & (y > 24) & (y < 56)] = Tissue.MUSCLE
    code[ellipsoid(points, (32, 66, -36), (13, 13, 13))] = Tissue.SKIN  # sclera
    code[ellipsoid(points, (32, 66, -36), (11.6, 11.6, 11.6))] = Tissue.GLOBE
    code[ellipsoid(points, (32, 75, -36), (4.5, 2.2, 4.5))] = Tissue.LENS


def _air_spaces(grid: FineGrid) -> None:
    points, code, distance = grid.points, grid.code, grid.distance
    z, y, ax = points
    outside = grid.outside | (code == Tissue.BONE)
    ethmoid = (ax < 12) & (y > 28) & (y < 70) & (z > -56) & (z < -24)
    cells = (np.sin(0.75 * y) * np.sin(0.8 * z + 0.4) > -0.35) & (ax > 1) & (np.abs(ax - 6.5) > 1)
    code[ethmoid & outside] = Tissue.SPONGE
    code[ethmoid & outside & cells] = Tissue.CAVITY
    nose = (ax < 11) & (y > 18) & (y < 84) & (z <= -56) & (z > -92)
    turbinates = (np.abs(ax - 6) < 1.6) & (np.sin(0.6 * z) > 0)
    code[nose & outside & (ax > 1.2)] = Tissue.CAVITY
    code[nose & outside & turbinates] = Tissue.MUSCLE
    code[ellipsoid(points, (7, 15, -43), (6, 12, 8)) & outside] = Tissue.CAVITY  # sphenoid sinus
    pharynx = ellipsoid(points, (0, 2, -84), (10, 9, 30)) & (z < -58)
    code[pharynx & outside] = Tissue.CAVITY
    canal = (np.hypot(y + 20, z + 44) < 3.2) & (ax > 52) & (ax < 86)
    code[canal] = Tissue.CAVITY  # outer ear canal
    cells = ellipsoid(points, (55, -32, -50), (12, 17, 16)) & (distance > 3) & (distance < 11)
    code[cells & outside] = Tissue.MASTOID
    brow = (ax < 28) & (y > 50) & (z > -30) & (z < 24) & (code != Tissue.AIR)
    code[brow & (distance > 3) & (distance < 10.5)] = Tissue.BONE
    sinus = brow & (ax < 26) & (ax > 1.2) & (z < 22) & (distance > 4.5) & (distance < 9)
    code[sinus] = Tissue.FRONTAL_SINUS


def _spine(grid: FineGrid) -> None:
    points, code = grid.points, grid.code
    z, y, x = points
    radius = np.hypot(x, y + 47 + 0.1 * (z + 60))
    code[(radius < 19) & (radius > 13) & (z < -76) & (z > -90)] = Tissue.BONE  # atlas
    code[ellipsoid(points, (0, -33, -86), (5.5, 5.5, 16))] = Tissue.BONE  # dens
    code[(radius > 13) & (radius < 20) & (z < -94)] = Tissue.BONE
    canal = (radius < 13) & (z < -66)
    code[canal] = Tissue.CANAL
    code[canal & (np.hypot(x / 1.2, y + 48 + 0.1 * (z + 60)) < 5.5) & (z < -70)] = Tissue.CORD


def _midline(grid: FineGrid) -> None:
    """Falx between the hemispheres and the venous sinuses along its rim."""
    middle = (..., slice(80, 117))  # |x| <= 18 mm
    z, y, ax = grid.points._replace(x=grid.points.x[middle])
    code, level, distance = grid.code[middle], grid.level[middle], grid.distance[middle]
    arch = np.hypot((y + 18) / 1.25, z - 2) > 42
    falx = (ax < 1) & (distance < 0) & arch & (z > -12) & (level < 0.93)
    code[falx] = Tissue.FALX
    rim = (ax < 5.5 + distance) & (distance > -5) & (distance < 3) & (y < 45) & (z > -18)
    code[rim & (level < 0.8)] = Tissue.SINUS_BLOOD


def _tentorium(grid: FineGrid) -> None:
    """Tentorium in the cleft over the cerebellum, with the straight and the transverse sinuses."""
    (z, y, ax), distance = grid.points, grid.distance
    back = np.clip(-50 - y, 0, None)
    height = z + 1 + 0.42 * back + np.clip(0.55 + 0.0085 * (y + 40), 0.1, 0.6) * ax
    notch = (ax / 16) ** 2 + ((y + 30) / 22) ** 2 < 1
    sheet = (np.abs(height) < 1.1) & (y < -28) & ~notch & (distance < 2)
    grid.code[sheet & (grid.level < 0.85)] = Tissue.TENTORIUM
    across = (np.abs(height) < 4) & (distance > -5) & (distance < 1) & (y < -45)
    straight = (np.abs(height) < 2) & (ax < 2) & (y < -46)
    grid.code[(across | (straight & (distance < 0))) & (grid.level < 0.95)] = Tissue.SINUS_BLOOD

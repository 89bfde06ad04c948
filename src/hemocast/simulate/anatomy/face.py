"""Everything of the head that is not brain or skull vault, as simple solids in MNI millimetres."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.volume import BoolArray, FloatArray

ByteArray = NDArray[np.uint8]


class Tissue(IntEnum):
    """What an atlas voxel holds. Below `BONE`, skull vault and brain win where they are."""

    AIR = 0
    SCALP = 1
    MUSCLE = 2
    FAT = 3
    SKIN = 4
    FALX = 5
    SINUS_BLOOD = 6
    BONE = 10
    SPONGE = 11
    CAVITY = 12
    GLOBE = 13
    LENS = 14
    CANAL = 15
    CORD = 16
    FRONTAL_SINUS = 17
    MASTOID = 18
    CALCIUM = 19
    LACUNE = 20
    ARTERY = 21
    CLOT = 22
    OLD_INFARCT = 23


TISSUE_HU: dict[Tissue, float] = {
    Tissue.AIR: -1000,
    Tissue.SCALP: -80,
    Tissue.MUSCLE: 55,
    Tissue.FAT: -95,
    Tissue.SKIN: 60,
    Tissue.FALX: 52,
    Tissue.SINUS_BLOOD: 50,
    Tissue.BONE: 850,
    Tissue.SPONGE: 420,
    Tissue.CAVITY: -980,
    Tissue.GLOBE: 14,
    Tissue.LENS: 75,
    Tissue.CANAL: 12,
    Tissue.CORD: 33,
    Tissue.FRONTAL_SINUS: 700,
    Tissue.MASTOID: 600,
    Tissue.CALCIUM: 190,
    Tissue.LACUNE: 12,
    Tissue.ARTERY: 41,
    Tissue.CLOT: 56,
    Tissue.OLD_INFARCT: 12,
}
"""CT number of each, HU. The ranges are the usual ones of the Hounsfield scale (muscle 40-60, fat
-120 to -60, fluid 0-20, bone 300-1500); the values within them are ours. An open middle cerebral
artery measures 41, an occluded one 54 HU on average (Koo 2000,
Cerebrovasc Dis 10:419)."""


def _ball(
    z: FloatArray,
    y: FloatArray,
    x: FloatArray,
    at: tuple[float, float, float],
    radii: tuple[float, float, float],
) -> BoolArray:
    """Return an ellipsoid; `at` and `radii` in (x, y, z) mm."""
    inside: BoolArray = (
        ((x - at[0]) / radii[0]) ** 2
        + ((y - at[1]) / radii[1]) ** 2
        + ((z - at[2]) / radii[2]) ** 2
    ) < 1
    return inside


def _outline(z: FloatArray, y: FloatArray, x: FloatArray, distance: FloatArray) -> BoolArray:
    """Return the skin's surface: the vault's scalp, the face and the neck."""
    low = np.clip((-z - 20) / 60, 0, 1.5)
    front, back = 84 - 4 * low, -108 + 16 * low
    middle, half = (front + back) / 2, (front - back) / 2
    width = 74 - 9 * low
    face = (np.abs(x / width) ** 2.4 + np.abs((y - middle) / half) ** 2.3 < 1) & (z < -18)
    nose = _ball(z, y, x, (0, 84, -62), (13, 20, 26))
    ears = _ball(z, y, x, (79, -22, -42), (6, 12, 26)) | _ball(
        z, y, x, (-79, -22, -42), (6, 12, 26)
    )
    outline: BoolArray = (distance < 16.5) & (z > -62) | face | nose | ears
    return outline


def face_tissues(
    z: FloatArray, y: FloatArray, x: FloatArray, distance: FloatArray
) -> tuple[ByteArray, FloatArray]:
    """Return soft tissue, before the fine structures, and depth under the skin, coarse.

    Parameters
    ----------
    z, y, x : ndarray of float32
        MNI mm, shaped to broadcast.
    distance : ndarray of float32, shape (z, y, x)
        Signed distance to the brain's hull, mm.

    Returns
    -------
    code : ndarray of uint8, shape (z, y, x)
        `Tissue`.
    depth : ndarray of float32, shape (z, y, x)
        Millimetres under the skin's surface, negative outside.
    """
    head = ndimage.gaussian_filter(_outline(z, y, x, distance).astype(np.float32), 1.5) > 0.5
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
    z: FloatArray,
    y: FloatArray,
    x: FloatArray,
    *,
    code: ByteArray,
    level: FloatArray,
    distance: FloatArray,
) -> None:
    """Put in the structures that need 1 mm: bones and air of the face, eyes, cord, falx.

    Parameters
    ----------
    z, y, x : ndarray of float32
        MNI mm of the atlas grid, shaped to broadcast.
    code : ndarray of uint8, shape (z, y, x)
        `Tissue` so far; changed in place.
    level, distance : ndarray of float32, shape (z, y, x)
        Brain tissue and signed distance to the hull, mm.
    """
    ax = np.abs(x)
    outside = (distance > 1) & (code != Tissue.AIR)
    _facial_bones(z, y, ax, code, outside)
    _orbits(z, y, ax, code, outside)
    _air_spaces(z, y, ax, code, outside, distance)
    _spine(z, y, x, code)
    _midline(z, y, ax, code, level, distance)


def _facial_bones(
    z: FloatArray, y: FloatArray, ax: FloatArray, code: ByteArray, outside: BoolArray
) -> None:
    part = slice(0, 125)  # z below about +12 mm
    z, code, outside = z[part], code[part], outside[part]
    bones = (
        (_ball(z, y, ax, (30, 52, -66), (22, 22, 24)), Tissue.BONE),  # maxilla
        (_ball(z, y, ax, (30, 50, -66), (19, 19, 21)), Tissue.CAVITY),
        (
            (np.abs(np.hypot(ax, (y + 2) * 0.75) - 64) < 1.8) & (np.abs(z + 52) < 4) & (y > -16),
            Tissue.BONE,
        ),  # zygomatic arch
        (_ball(z, y, ax, (52, 2, -72), (5, 9, 22)), Tissue.BONE),  # ramus of the mandible
        (_ball(z, y, ax, (47, 30, -40), (7, 14, 14)), Tissue.BONE),  # sphenoid wing
        (_ball(z, y, ax, (0, 14, -42), (20, 18, 13)), Tissue.BONE),  # sphenoid body
        (_ball(z, y, ax, (54, -32, -50), (16, 20, 19)), Tissue.BONE),  # mastoid
        (_ball(z, y, ax, (24, -44, -74), (10, 12, 8)), Tissue.BONE),  # occipital condyles
    )
    for solid, tissue in bones:
        code[solid & outside] = tissue


def _orbits(
    z: FloatArray, y: FloatArray, ax: FloatArray, code: ByteArray, outside: BoolArray
) -> None:
    part = slice(55, 112)  # z -57..0
    z, code, outside = z[part], code[part], outside[part] | (code[part] == Tissue.AIR)
    wall = _ball(z, y, ax, (31, 57, -36), (20.5, 36, 19.5)) & (y > 24)
    fat = _ball(z, y, ax, (31, 57, -36), (18.5, 34, 17.5)) & (y > 26)
    code[wall & outside & (y < 68)] = Tissue.BONE
    code[fat & outside & (y < 78)] = Tissue.FAT
    code[(np.hypot(ax - 29 - (y - 62) * 0.25, z + 36) < 2) & (y > 24) & (y < 56)] = Tissue.MUSCLE
    code[_ball(z, y, ax, (32, 66, -36), (13, 13, 13))] = Tissue.SKIN  # sclera
    code[_ball(z, y, ax, (32, 66, -36), (11.6, 11.6, 11.6))] = Tissue.GLOBE
    code[_ball(z, y, ax, (32, 75, -36), (4.5, 2.2, 4.5))] = Tissue.LENS


def _air_spaces(
    z: FloatArray,
    y: FloatArray,
    ax: FloatArray,
    code: ByteArray,
    outside: BoolArray,
    distance: FloatArray,
) -> None:
    part = slice(0, 140)  # z below about +28 mm
    z, code, outside, distance = z[part], code[part], outside[part], distance[part]
    outside = outside | (code == Tissue.BONE)
    ethmoid = (ax < 12) & (y > 28) & (y < 70) & (z > -56) & (z < -24)
    cells = (np.sin(0.75 * y) * np.sin(0.8 * z + 0.4) > -0.35) & (ax > 1) & (np.abs(ax - 6.5) > 1)
    code[ethmoid & outside] = Tissue.SPONGE
    code[ethmoid & outside & cells] = Tissue.CAVITY
    nose = (ax < 11) & (y > 18) & (y < 84) & (z <= -56) & (z > -92)
    turbinates = (np.abs(ax - 6) < 1.6) & (np.sin(0.6 * z) > 0)
    code[nose & outside & (ax > 1.2)] = Tissue.CAVITY
    code[nose & outside & turbinates] = Tissue.MUSCLE
    code[_ball(z, y, ax, (7, 15, -43), (6, 12, 8)) & outside] = Tissue.CAVITY  # sphenoid sinus
    code[_ball(z, y, ax, (0, 2, -84), (10, 9, 30)) & outside & (z < -58)] = Tissue.CAVITY  # pharynx
    canal = (np.hypot(y + 20, z + 44) < 3.2) & (ax > 52) & (ax < 86)
    code[canal] = Tissue.CAVITY  # outer ear canal
    cells = _ball(z, y, ax, (55, -32, -50), (12, 17, 16)) & (distance > 3) & (distance < 11)
    code[cells & outside] = Tissue.MASTOID
    brow = (ax < 28) & (y > 50) & (z > -30) & (z < 24) & (code != Tissue.AIR)
    code[brow & (distance > 3) & (distance < 10.5)] = Tissue.BONE
    sinus = brow & (ax < 26) & (ax > 1.2) & (z < 22) & (distance > 4.5) & (distance < 9)
    code[sinus] = Tissue.FRONTAL_SINUS


def _spine(z: FloatArray, y: FloatArray, x: FloatArray, code: ByteArray) -> None:
    part = slice(0, 56)  # z below about -56 mm
    z, code = z[part], code[part]
    radius = np.hypot(x, y + 47 + 0.1 * (z + 60))
    code[(radius < 19) & (radius > 13) & (z < -76) & (z > -90)] = Tissue.BONE  # atlas
    code[_ball(z, y, x, (0, -33, -86), (5.5, 5.5, 16))] = Tissue.BONE  # dens
    code[(radius > 13) & (radius < 20) & (z < -94)] = Tissue.BONE
    canal = (radius < 13) & (z < -66)
    code[canal] = Tissue.CANAL
    code[canal & (np.hypot(x / 1.2, y + 48 + 0.1 * (z + 60)) < 5.5) & (z < -70)] = Tissue.CORD


def _midline(
    z: FloatArray,
    y: FloatArray,
    ax: FloatArray,
    code: ByteArray,
    level: FloatArray,
    distance: FloatArray,
) -> None:
    """Falx between the hemispheres and the venous sinuses along its rim."""
    middle = (..., slice(80, 117))  # |x| <= 18 mm
    code, level, distance, ax = code[middle], level[middle], distance[middle], ax[middle]
    arch = np.hypot((y + 18) / 1.25, z - 2) > 42
    falx = (ax < 1) & (distance < 0) & arch & (z > -12) & (level < 0.93)
    code[falx] = Tissue.FALX
    rim = (ax < 5.5 + distance) & (distance > -5) & (distance < 3) & (y < 45) & (z > -18)
    code[rim & (level < 0.8)] = Tissue.SINUS_BLOOD

"""What a voxel of a randomised head holds: codes with CT numbers to draw, and classes to learn.

A code says more than a class: how much of a voxel is tissue and how much of that white matter, how
deep in the skull bone lies. CT numbers are drawn for codes; the network learns classes.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from hemocast.anatomy.tissue.map import Kind
from hemocast.volume import FloatArray

ByteArray = NDArray[np.uint8]

BRAIN, VENTRICLE = 64, 96
"""First codes of 32: share of tissue (8 steps of 4), then of white matter within it (4 steps)."""

ACUTE = 128
"""Added to a brain's or ventricle's code where the tissue is acutely infarcted."""

SHARES = 8
WHITES = 4


class Code(IntEnum):
    """What lies in a voxel that is neither brain nor fluid."""

    AIR = 0
    SCALP = 1
    MUSCLE = 2
    FAT = 3
    SKIN = 4
    FALX = 5
    SINUS = 6
    ARTERY = 7
    CLOT = 8
    GLOBE = 9
    LENS = 10
    CANAL = 11
    CORD = 12
    CAVITY = 13
    SPONGE = 14
    BONE = 15
    VAULT = 16  # to 23: from the inner to the outer table
    CALCIUM = 24
    OLD_INFARCT = 25
    BLOOD = 26
    OLDER_BLOOD = 27
    METAL = 28
    PILLOW = 29
    HOLDER = 30
    FLAP = 31  # what closes a gap in the skull
    THIN_BONE = 32
    GAS = 33  # inside the skull, after an operation
    PLATE = 34  # metal outside the dura: plates, teeth


VAULT_STEPS = 8

# Usual CT numbers, HU: middle and spread of what is drawn for every head.
_USUAL: dict[int, tuple[float, float]] = {
    Code.AIR: (-1000, 5), Code.SCALP: (-80, 25), Code.MUSCLE: (55, 10), Code.FAT: (-95, 15),
    Code.SKIN: (50, 20), Code.FALX: (55, 9), Code.SINUS: (54, 8), Code.ARTERY: (44, 6),
    Code.CLOT: (60, 8), Code.GLOBE: (12, 8), Code.LENS: (75, 15), Code.CANAL: (12, 8),
    Code.CORD: (33, 6), Code.CAVITY: (-970, 30), Code.SPONGE: (420, 150), Code.BONE: (850, 200),
    Code.CALCIUM: (190, 90), Code.OLD_INFARCT: (11, 4), Code.BLOOD: (64, 8),
    Code.OLDER_BLOOD: (56, 8), Code.METAL: (3500, 900), Code.PILLOW: (-880, 80),
    Code.HOLDER: (120, 200), Code.FLAP: (38, 14), Code.THIN_BONE: (190, 90), Code.GAS: (-900, 80),
    Code.PLATE: (3000, 900),
}  # fmt: skip
_VAULT_HU = (1150, 1450, 1150, 950, 1000, 1350, 1500, 1200)


def _class_table() -> ByteArray:
    table = np.full(256, Kind.BACKGROUND, np.uint8)
    named = {
        Kind.SOFT: (Code.SCALP, Code.MUSCLE, Code.FAT, Code.SKIN, Code.GLOBE, Code.LENS,
                    Code.CANAL, Code.CORD, Code.FLAP),
        Kind.BONE: (Code.SPONGE, Code.BONE, Code.THIN_BONE, *range(Code.VAULT, Code.VAULT + 8)),
        Kind.DURA: (Code.FALX, Code.SINUS),
        Kind.VESSEL: (Code.ARTERY, Code.CLOT),
        Kind.CALCIUM: (Code.CALCIUM,),
        Kind.OLD_INFARCT: (Code.OLD_INFARCT,),
        Kind.BLOOD: (Code.BLOOD, Code.OLDER_BLOOD),
        Kind.METAL: (Code.METAL, Code.PLATE),
    }  # fmt: skip
    for kind, codes in named.items():
        table[list(codes)] = kind
    tissue = np.arange(SHARES).repeat(WHITES) >= SHARES // 2
    table[BRAIN : BRAIN + 32] = np.where(tissue, Kind.BRAIN, Kind.FLUID)
    table[VENTRICLE : VENTRICLE + 32] = np.where(tissue, Kind.BRAIN, Kind.VENTRICLE)
    table[BRAIN + ACUTE : BRAIN + ACUTE + 64] = table[BRAIN : BRAIN + 64]
    acute = slice(BRAIN + ACUTE, BRAIN + ACUTE + 64)
    table[acute][table[acute] == Kind.BRAIN] = Kind.ACUTE
    return table


CLASS_OF = _class_table()
"""The `Kind` of every code."""


INSIDE = np.zeros(256, np.bool_)
"""Which codes lie inside the dura, above the foramen magnum."""

INSIDE[
    [Code.FALX, Code.SINUS, Code.ARTERY, Code.CLOT, Code.CALCIUM, Code.OLD_INFARCT, Code.BLOOD,
     Code.OLDER_BLOOD, Code.METAL, Code.GAS]
] = True  # fmt: skip
INSIDE[BRAIN : BRAIN + 64] = INSIDE[BRAIN + ACUTE : BRAIN + ACUTE + 64] = True


def draw_hu(rng: Generator) -> FloatArray:
    """Draw the CT number of every code for one head: mostly about the usual, sometimes far off.

    Parameters
    ----------
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of float32, shape (256,)
    """
    wild = 2.5 if rng.random() < 0.15 else 1.0
    hu = np.full(256, -1000, np.float32)
    for code, (middle, spread) in _USUAL.items():
        hu[code] = rng.normal(middle, spread * wild)
    bone = rng.uniform(0.55, 1.35)
    hu[Code.VAULT : Code.VAULT + VAULT_STEPS] = bone * (np.array(_VAULT_HU) + rng.normal(0, 80, 8))
    for code in (Code.SPONGE, Code.BONE):
        hu[code] = max(bone * hu[code], 180)
    hu[Code.BLOOD], hu[Code.OLDER_BLOOD] = rng.uniform(50, 80), rng.uniform(48, 75)
    hu[Code.CALCIUM] = rng.uniform(85, 450)
    hu[Code.THIN_BONE] = rng.uniform(70, 350)
    hu[Code.HOLDER] = rng.uniform(-300, 400)
    hu[Code.METAL], hu[Code.PLATE] = rng.uniform(1800, 6000, 2)
    grey = rng.normal(37.5, 2.5 * wild)
    white = grey - max(rng.normal(8.5, 2.0 * wild), 2.5)
    fluid = rng.normal(8, 3.5 * wild)
    sulci = fluid + rng.uniform(-1, 6)
    uptake = rng.uniform(0.04, 0.4)
    part = (np.arange(SHARES) / (SHARES - 1)).repeat(WHITES)
    matter = grey + np.tile(np.arange(WHITES) / (WHITES - 1), SHARES) * (white - grey)
    wet = (matter + min(uptake / 0.15, 1) * ((grey + white) / 2 - matter)) * (1 - uptake)
    for first, water in ((BRAIN, sulci), (VENTRICLE, fluid)):
        hu[first : first + 32] = water + part * (matter - water)
        hu[first + ACUTE : first + ACUTE + 32] = water + part * (wet - water)
    return hu

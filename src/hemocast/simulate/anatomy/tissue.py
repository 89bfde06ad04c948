"""What a head is made of, and the CT number of each tissue."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.random import Generator

from hemocast.volume import FloatArray

GREY_HU, WHITE_HU, CSF_HU, BLOOD_HU = 38.0, 29.0, 8.0, 66.0
"""CT numbers at 120 kV: grey 37-41, white 25-32, fluid 0-12, clotted blood 50-80 HU (the usual
textbook ranges; the values within them are ours)."""


class Tissue(IntEnum):
    """What an atlas voxel holds, and its CT number, HU.

    Below `BONE`, skull vault and brain win where they are. The ranges are the usual ones of the
    Hounsfield scale (muscle 40-60, fat -120 to -60, fluid 0-20, bone 300-1500, venous sinuses
    50-60); the values within them are ours, and the middle of what heads have. An open middle
    cerebral artery measures 41, an occluded one 54 HU on average (Koo 2000, Cerebrovasc Dis
    10:419).
    """

    hu: float

    def __new__(cls, code: int, hu: float) -> Tissue:
        """Make a code that knows its CT number."""
        tissue = int.__new__(cls, code)
        tissue._value_, tissue.hu = code, hu
        return tissue

    AIR = 0, -1000
    SCALP = 1, -80
    MUSCLE = 2, 55
    FAT = 3, -95
    SKIN = 4, 60
    FALX = 5, 52
    SINUS_BLOOD = 6, 52
    VEIN = 7, 48
    TENTORIUM = 8, 48
    BONE = 10, 850
    SPONGE = 11, 420
    CAVITY = 12, -980
    GLOBE = 13, 14
    LENS = 14, 75
    CANAL = 15, 12
    CORD = 16, 33
    FRONTAL_SINUS = 17, 700
    MASTOID = 18, 600
    CALCIUM = 19, 190
    LACUNE = 20, 12
    ARTERY = 21, 41
    CLOT = 22, 56
    OLD_INFARCT = 23, 12
    FAINT_CALCIUM = 24, 75
    DEEP_VEIN = 25, 48


BLOOD_VESSELS = Tissue.SINUS_BLOOD, Tissue.VEIN, Tissue.DEEP_VEIN, Tissue.ARTERY, Tissue.CLOT
SHEETS = Tissue.FALX, Tissue.TENTORIUM


def draw_tissue_hu(rng: Generator, age: float) -> FloatArray:
    """Draw the CT number of every `Tissue` in one head, shape (32,), HU.

    Blood in vessels goes with the hematocrit (about one HU a percent; 41 % on average), dura and
    calcium with age; the amounts are ours.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    age : float
        Years.
    """
    table = np.zeros(32, dtype=np.float32)
    table[list(Tissue)] = [tissue.hu for tissue in Tissue]
    table[list(BLOOD_VESSELS)] += np.clip(rng.normal(0, 4.0), -9, 9)
    table[list(SHEETS)] += rng.gamma(2.0, 3.0) + 0.1 * max(age - 50, 0) - 4
    table[Tissue.CALCIUM] = rng.uniform(110, 350)
    table[Tissue.FAINT_CALCIUM] = rng.uniform(55, 110)
    table[[Tissue.LACUNE, Tissue.OLD_INFARCT]] += rng.normal(0, 2.0)
    return table


def healthy_hu(white: FloatArray, pallor: FloatArray) -> FloatArray:
    """Return the CT number of healthy brain tissue.

    Parameters
    ----------
    white : ndarray of float32
        Share of white matter, 0 to 1.
    pallor : ndarray of float32
        Drop of white matter by leukoaraiosis, HU.
    """
    return np.asarray(np.float32(GREY_HU) - white * (np.float32(GREY_HU - WHITE_HU) + pallor))

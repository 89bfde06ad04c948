"""What a head is made of, and the CT number of each tissue."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from hemocast.volume import FloatArray

GREY_HU, WHITE_HU, CSF_HU, BLOOD_HU = 38.0, 29.0, 8.0, 66.0
"""CT numbers at 120 kV: grey 37-41, white 25-32, fluid 0-12, clotted blood 50-80 HU (the usual
textbook ranges; the values within them are ours)."""


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

"""A map of how much the blood-brain barrier leaks, made up so that it tells something of the risk.

No physiology: a smooth texture round 1, and in the infarct more, by a leak that rises with the
patient's true log odds of HT, blurred by a chance of the patient's own. It is there to show that a
model which is given the map finds what is in it (after the permeability maps of Scalzo 2013 and
Yu 2018); how much a real map would tell is not known from it.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from hemocast.volume import FloatArray

TEXTURE = 0.3
"""Standard deviation of the texture of healthy tissue, whose mean is 1."""
TEXTURE_MM = 8.0
"""Distance of its nodes, mm."""
LEAK, PER_LOG_ODDS, CHANCE = 1.0, 0.35, 0.7
"""Mean leak of an infarct at a risk of one half; what a log odd adds; SD of the patient's own."""
LARGEST_LEAK = 4.0


def draw_leak(risk: float, rng: Generator) -> float:
    """Draw how much more than healthy tissue a patient's infarct leaks, 0 to `LARGEST_LEAK`.

    Parameters
    ----------
    risk : float
        True risk of HT, between 0 and 1.
    rng : Generator
    """
    log_odds = float(np.log(risk / (1 - risk)))
    leak = LEAK + PER_LOG_ODDS * log_odds + CHANCE * float(rng.standard_normal())
    return float(np.clip(leak, 0, LARGEST_LEAK))


def permeability_map(
    infarct: FloatArray, spacing: tuple[float, float, float], leak: float, rng: Generator
) -> FloatArray:
    """Draw the map of one scan.

    Parameters
    ----------
    infarct : ndarray of float32, shape (z, y, x)
        Share of every voxel that is infarcted, 0 to 1.
    spacing : tuple of float
        mm, (z, y, x).
    leak : float
        See `draw_leak`.
    rng : Generator
        Of the scan.

    Returns
    -------
    ndarray of float32, shape (z, y, x)
        Percent of healthy tissue, whole, not negative; without a meaning outside the head.
    """
    nodes = [
        max(2, round(n * mm / TEXTURE_MM)) for n, mm in zip(infarct.shape, spacing, strict=True)
    ]
    noise = rng.standard_normal(nodes, dtype=np.float32)
    zoom = [new / old for new, old in zip(infarct.shape, nodes, strict=True)]
    texture = ndimage.zoom(noise, zoom, order=1, mode="nearest", grid_mode=True)
    found = 1 + TEXTURE * texture + np.float32(leak) * infarct
    return np.asarray(np.rint(100 * np.maximum(found, 0)), np.float32)

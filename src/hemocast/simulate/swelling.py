"""What an infarct does to the brain round it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from hemocast.simulate.lesion import Stain
from hemocast.simulate.shape import FIELD, Shape

SWELLING_ML = 40.0
"""Infarcts above this efface the sulci over them; ours."""


def swell(shape: Shape, stain: Stain, volume_ml: float) -> Shape:
    """Efface the sulci over a large infarct."""
    part = ndimage.zoom(stain.share[::2, ::2, ::2].astype(np.float32) / 255, 0.5, order=1)
    cover = np.zeros(shape.threshold.shape, dtype=np.float32)
    box = tuple(
        slice(a // FIELD, a // FIELD + n) for a, n in zip(stain.start, part.shape, strict=True)
    )
    cover[box] = part[tuple(slice(0, n) for n in cover[box].shape)]
    strength = 0.22 * min(volume_ml / 150, 1)
    threshold = shape.threshold - strength * ndimage.gaussian_filter(cover, 1.5)
    return replace(shape, threshold=np.maximum(threshold, 0.25).astype(np.float32))

"""The upright head to align to: shape and fluid of the MNI152 2009a symmetric average brain.

Fonov et al. 2011 (10.1016/j.neuroimage.2010.07.033), in the files that nilearn carries, with their
notice (``assets/template``).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.volume import FloatArray

_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
# Geometry of these files (millimetre voxels): their headers say the same, a test holds it.
_SHAPE_XYZ = (197, 233, 189)
_HEADER_BYTES = 352
FIRST_VOXEL_MM = (-98.0, -134.0, -72.0)
# Middle of the brain's bounding box, and its highest point, in the template's millimetres.
CENTRE_MM = (0.0, -17.0, 5.0)
VERTEX_MM = 82.0
STEP_MM = 4
_PAD = 10
_SMOOTH_MM = 5.0
# T1 intensity of fluid and of the darkest grey matter in that file.
_FLUID_T1, _TISSUE_T1 = 70.0, 140.0


@dataclass(frozen=True)
class Template:
    """Smooth fields of the upright head and their slopes, on a 4 mm grid.

    Parameters
    ----------
    fields : ndarray of float32, shape (z, y, x, 2, 4)
        Brain (0 to 1) and fluid (0 to 1); of each the value and its slope per mm along x, y, z.
        Axes run inferior to superior, posterior to anterior, left to right (RAS+).
    origin_mm : tuple of float
        Place of voxel (0, 0, 0) as (x, y, z) mm, with the middle of the brain at the origin.
    """

    fields: FloatArray
    origin_mm: tuple[float, float, float]


@lru_cache(maxsize=1)
def template() -> Template:
    """Read the template; the same object on every call."""
    from scipy import ndimage

    t1 = read_map("t1")
    # Every second voxel is plenty for blocks of 4 mm, smoothed further below.
    n = [length // STEP_MM * STEP_MM for length in t1.shape]
    tissue = t1[: n[0] : 2, : n[1] : 2, : n[2] : 2].astype(np.float32)
    darkness = np.clip((_TISSUE_T1 - tissue) / (_TISSUE_T1 - _FLUID_T1), 0, 1)
    half = STEP_MM // 2
    shape = (n[0] // STEP_MM, half, n[1] // STEP_MM, half, n[2] // STEP_MM, half)
    brain = (tissue > 0).reshape(shape).mean((1, 3, 5), dtype=np.float32)
    fluid = (darkness * (tissue > 0)).reshape(shape).mean((1, 3, 5), dtype=np.float32)
    sigma = _SMOOTH_MM / STEP_MM
    padded = [length + 2 * _PAD for length in brain.shape]
    fields = np.empty((*padded, 2, 4), np.float32)
    for channel, field in enumerate((brain, fluid)):
        smooth = ndimage.gaussian_filter(np.pad(field, _PAD), sigma, truncate=3.0)
        dz, dy, dx = np.gradient(smooth, STEP_MM)
        for place, value in enumerate((smooth, dx, dy, dz)):
            fields[..., channel, place] = value
    x, y, z = (
        first - _PAD * STEP_MM + (half - 1) - middle
        for first, middle in zip(FIRST_VOXEL_MM, CENTRE_MM, strict=True)
    )
    return Template(fields, (x, y, z))


@lru_cache(maxsize=2)
def read_map(name: Literal["t1", "gm", "wm"]) -> NDArray[np.uint8]:
    """Return a map of the template: T1, or the share of grey or white matter times 255.

    The last two are kept: every scan's signs ask for grey and white matter.

    Parameters
    ----------
    name : {"t1", "gm", "wm"}
        Which.

    Returns
    -------
    ndarray of uint8, shape (z, y, x)
        RAS+, on the grid of 1 mm that all three share; not to be written to.
    """
    path = files("hemocast") / "assets" / "template" / _FILE.format(name)
    raw = gzip.decompress(path.read_bytes())
    values = np.frombuffer(raw, np.uint8, offset=_HEADER_BYTES)
    # NIfTI stores x fastest: read backwards that is (z, y, x).
    return values.reshape(_SHAPE_XYZ[::-1])

"""The 348 bytes in front of a volume in a NIfTI file.

Nibabel writes the same bytes (the tests compare them) and is what reads files. To write one heatmap
it would load pydicom with all its decoders: a tenth of what a prediction takes.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

# nifti1.h: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
_LAYOUT = struct.Struct("<i10s18sih2B8h3f4h8f3fh2B4f2i80s24s2h3f3f12f16s4s4x")
_TYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
_MM = 2

UNKNOWN, SCANNER = 0, 1
"""What the coordinates are: nobody knows, or the scanner's."""


def nifti1_header(
    shape: tuple[int, ...],
    kind: np.dtype[np.generic],
    affine: NDArray[np.float64],
    code: int,
    words: str,
    step: float = 1.0,
) -> bytes:
    """Make the header of a single file whose data begin at byte 352.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x).
    kind : dtype
        Of the stored values.
    affine : ndarray, shape (4, 4)
        Voxel (x, y, z, 1) to mm, RAS+; kept exactly as sform, as qform without its shears.
    code : int
        Of both forms, `UNKNOWN` or `SCANNER`.
    words : str
        Description; 79 characters are kept.
    step : float
        What a stored value is multiplied by when it is read.

    Returns
    -------
    bytes
        352, little-endian: the last four say that no extension follows.
    """
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    hand, quaternion = _turn(affine[:3, :3] / sizes)
    n = len(shape)
    dimensions = (n, *shape[::-1], *(1,) * (7 - n))
    voxel = (hand, *sizes, 1.0, 1.0, 1.0, 1.0)
    described = words.encode("ascii", "replace")[:79]
    return _LAYOUT.pack(
        348, b"", b"", 0, 0, 0, 0,
        *dimensions,
        0.0, 0.0, 0.0, 0, _TYPES[kind.str[1:]], 8 * kind.itemsize, 0,
        *voxel,
        352.0, step, 0.0, 0, 0, _MM,
        0.0, 0.0, 0.0, 0.0, 0, 0,
        described, b"",
        code, code, *quaternion, *affine[:3, 3],
        *affine[:3].ravel(),
        b"", b"n+1\0",
    )  # fmt: skip


def _turn(axes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Handedness, and the quaternion (b, c, d) of the rotation nearest to these axes.

    References
    ----------
    Bar-Itzhack 2000, New method for extracting the quaternion from a rotation matrix,
    doi:10.2514/2.4654
    """
    hand = 1.0 if np.linalg.det(axes) > 0 else -1.0
    left, _, right = np.linalg.svd(axes * (1.0, 1.0, hand))
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = left @ right
    lower = [
        [xx - yy - zz, 0.0, 0.0, 0.0],
        [xy + yx, yy - xx - zz, 0.0, 0.0],
        [xz + zx, yz + zy, zz - xx - yy, 0.0],
        [zy - yz, xz - zx, yx - xy, xx + yy + zz],
    ]
    values, vectors = np.linalg.eigh(np.array(lower) / 3.0)
    best = vectors[:, np.argmax(values)]
    return hand, best[:3] * (-1.0 if best[3] < 0 else 1.0)

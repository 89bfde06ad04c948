"""A scan's NIfTI file -> one small picture: axial, coronal and sagittal, as cheaply as can be."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from hemocast.dicom.geometry.regrid import canonical
from hemocast.dicom.geometry.slices import MOST_VOXELS
from hemocast.errors import BadGeometry, TooLarge
from hemocast.report.pictures.frames import BRAIN_WINDOW, data_address, font
from hemocast.volume import SIMULATED

Bytes = NDArray[np.uint8]

HEIGHT = 112
WIDEST = 352
_GAP = 3
_MARGIN_MM = 14.0  # scalp, ears and most of the nose beyond the skull
_BONE_HU = 250.0
_BELOW_TOP_MM = 70.0  # from the top of the skull down to the lateral ventricles in an adult
_SLAB_MM = 3.0  # averaged across a coronal or sagittal plane, against noise
_MOST_BYTES = 7400  # 10 kB as base64
_QUALITIES = (82, 72, 60, 45, 30)
_INK = 235


@dataclass(frozen=True)
class Thumbnail:
    """A picture of a scan, or why there is none.

    Parameters
    ----------
    address : str
        ``data:`` address of a grey JPEG; "" where there is no picture.
    width, height : int
        In pixels.
    simulated : bool
        Whether the NIfTI file says that the scan is simulated.
    fault : str
        Why there is no picture, in words; "" where there is one.
    """

    address: str = ""
    width: int = 0
    height: int = 0
    simulated: bool = False
    fault: str = ""


def make_thumbnail(path: Path, *, simulated: bool = False, sides_known: bool = True) -> Thumbnail:
    """Draw three planes of a scan side by side, all to one scale.

    Axial at the height of the lateral ventricles, coronal and sagittal through the middle of the
    skull. Radiological convention: axial seen from the feet and coronal from the front, the
    patient's right (R) at the left; sagittal with the front (A) at the left. The whole height that
    was scanned is shown; in the plane the picture is cropped to the skull.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz`` of one CT volume in HU.
    simulated : bool
        Whether it is known to be simulated. It is also marked so when its header says so.
    sides_known : bool
        Whether its header can be believed about how the head lies; no letters are drawn otherwise.

    Returns
    -------
    Thumbnail
        Never raises for a bad file: the report must come out. `fault` says what was wrong.
    """
    try:
        hu, spacing, said = _read(path)
        image = _draw(hu, spacing, simulated=simulated or said, letters=sides_known)
    # Whatever the library trips over in a damaged file costs this picture alone.
    except Exception as error:
        return Thumbnail(fault=f"the NIfTI file could not be read ({type(error).__name__})")
    return Thumbnail(_jpeg_address(image), image.width, image.height, said)


def _read(path: Path) -> tuple[NDArray[Any], tuple[float, float, float], bool]:
    """Voxels as they are stored (z, y, x), their size in mm, and whether they are simulated."""
    import nibabel as nib

    image: Any = nib.load(path)
    shape = tuple(int(n) for n in image.shape)
    if len(shape) != 3 or min(shape) < 2:
        raise BadGeometry("No volume", "a 3D image", "Ingest the scan again")
    if float(np.prod([float(n) for n in shape])) > MOST_VOXELS:
        raise TooLarge("Too many voxels", "a head CT", "Ingest the scan again")
    said = bytes(image.header["descrip"].item()).startswith(SIMULATED.encode())
    # Only views from here on: 16-bit voxels are neither scaled nor copied.
    values = np.asanyarray(image.dataobj)
    hu, affine, _ = canonical(values.T, np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine)
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite([x, y, z]).all() or not 0.05 <= min(x, y, z) <= max(x, y, z) <= 20:
        raise BadGeometry("Voxels of no size", "0.05 to 20 mm", "Ingest the scan again")
    return hu, (float(z), float(y), float(x)), said


def _draw(
    hu: NDArray[Any], spacing: tuple[float, float, float], *, simulated: bool, letters: bool
) -> Image.Image:
    mm_z, mm_y, mm_x = spacing
    rows, columns, top = _skull(hu, spacing)
    axial = hu[max(0, min(hu.shape[0] - 1, top - round(_BELOW_TOP_MM / mm_z)))]
    middle_y, middle_x = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
    slab_y, slab_x = (_slab(m, mm) for m, mm in ((middle_y, mm_y), (middle_x, mm_x)))
    # Height is drawn from superior to inferior.
    planes = (
        (axial[rows, columns], mm_y, mm_x, "RL"),
        (hu[::-1, slab_y, columns].mean(axis=1, dtype=np.float32), mm_z, mm_x, "RL"),
        (hu[::-1, rows, slab_x].mean(axis=2, dtype=np.float32), mm_z, mm_y, "AP"),
    )
    high = max(plane.shape[0] * high_mm for plane, high_mm, _, _ in planes)
    wide = sum(plane.shape[1] * wide_mm for plane, _, wide_mm, _ in planes)
    scale = min(HEIGHT / high, (WIDEST - 2 * _GAP) / wide)  # pixels per mm, of all three
    tiles = [
        _tile(plane, (wide_mm * scale, high_mm * scale)) for plane, high_mm, wide_mm, _ in planes
    ]
    height = max(tile.height for tile in tiles)
    sheet = Image.new("L", (sum(tile.width for tile in tiles) + 2 * _GAP, height), 0)
    pen = ImageDraw.Draw(sheet)
    left = 0
    for tile, (_, _, _, sides) in zip(tiles, planes, strict=True):
        above = (height - tile.height) // 2
        sheet.paste(tile, (left, above))
        for x, side, anchor in (
            (left + 2, sides[0], "lm"),
            (left + tile.width - 2, sides[1], "rm"),
        ):
            _write(pen, (x, height // 2), side if letters else "", anchor)
        left += tile.width + _GAP
    if simulated:
        _write(pen, (sheet.width // 2, height - 1), SIMULATED, "md")
    return sheet


def _skull(hu: NDArray[Any], spacing: tuple[float, float, float]) -> tuple[slice, slice, int]:
    """Rows and columns around the skull, and the highest slice with bone; all where there is none.

    Every other pixel is looked at: the box need not be better than that.
    """
    coarse = hu[:, ::2, ::2] > _BONE_HU
    least = max(4, round(60 / (4 * spacing[1] * spacing[2])))  # 60 square mm: no speck of metal
    with_bone = np.flatnonzero(np.count_nonzero(coarse, axis=(1, 2)) >= least)
    top = int(with_bone[-1]) if with_bone.size else hu.shape[0] - 1
    flat = np.count_nonzero(coarse, axis=0)
    return (
        _span(flat.sum(axis=1), hu.shape[1], spacing[1]),
        _span(flat.sum(axis=0), hu.shape[2], spacing[2]),
        top,
    )


def _span(bone: NDArray[Any], size: int, mm: float) -> slice:
    where = np.flatnonzero(bone >= 3)
    if where.size == 0:
        return slice(0, size)
    margin = round(_MARGIN_MM / mm)
    return slice(max(0, 2 * int(where[0]) - margin), min(size, 2 * int(where[-1]) + 1 + margin))


def _slab(middle: int, mm: float) -> slice:
    half = int(_SLAB_MM / 2 / mm)
    return slice(max(0, middle - half), middle + half + 1)


def _tile(plane: NDArray[Any], pixels: tuple[float, float]) -> Image.Image:
    """Window first: bone beside brain must not ring when the picture is made smaller."""
    low, high = BRAIN_WINDOW
    values = np.nan_to_num(np.asarray(plane, np.float32), nan=low, posinf=high, neginf=low)
    grey = ((np.clip(values, low, high) - low) * (255 / (high - low))).astype(np.uint8)
    size = (max(1, round(plane.shape[1] * pixels[0])), max(1, round(plane.shape[0] * pixels[1])))
    return Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR)


def _write(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, anchor: str) -> None:
    pen.text(at, text, _INK, font(11), anchor=anchor, stroke_width=2, stroke_fill=0)


def _jpeg_address(image: Image.Image) -> str:
    content = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True)
        content = buffer.getvalue()
        if len(content) <= _MOST_BYTES:
            break
    return data_address("jpeg", content)

"""Series -> Volume, and the whole way from a path to one Volume."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from hemocast.anatomy.checks import check_hounsfield
from hemocast.dicom.deidentify.words import scanner_facts
from hemocast.dicom.files.archive import open_path
from hemocast.dicom.files.nifti import find_nifti, is_nifti, read_nifti
from hemocast.dicom.geometry import regrid
from hemocast.dicom.geometry import slices as geometry
from hemocast.dicom.header.image import Image
from hemocast.dicom.pixels import decode
from hemocast.dicom.refusals import unreadable
from hemocast.dicom.series.exclusion import contrast_of
from hemocast.dicom.series.find import find_scans
from hemocast.dicom.series.found import Found, Scan, Series
from hemocast.errors import (
    BadGeometry,
    DuplicateSlices,
    HemocastError,
    MixedPatients,
    NoCT,
    NoHeadSeries,
    NotDicom,
    SeveralScans,
    TooFewSlices,
)
from hemocast.left_out import LeftOut
from hemocast.volume import FloatArray, Source, Volume

_TILT_DIFFERS = 2.0  # degrees


def read(path: Path | str) -> Volume:
    """Read one scan from a DICOM folder, a zip or a NIfTI file.

    Parameters
    ----------
    path : Path or str
        A folder of any content, a zip of one, a NIfTI file, or one multi-frame DICOM file.

    Returns
    -------
    Volume

    Raises
    ------
    HemocastError
        One of the tree, with its code; see `find_scans`, `read_series`, `read_nifti`, `open_path`.
    """
    with open_path(Path(path)) as opened:
        found = _look(opened)
        if isinstance(found, list):
            if len(found) > 1:
                raise _several(len(found))
            return read_nifti(found[0])
        scan = one_scan(found)
        return read_series(scan.series, scan.left_out)


def _look(opened: Path) -> Found | list[Path]:
    """Find DICOM scans, or where there are none the NIfTI files; all there must be readable."""
    if opened.is_file() and is_nifti(opened):
        return [opened]
    try:
        found = find_scans(opened)
    except NotDicom:
        niftis = find_nifti(opened, {})
        if not niftis:
            raise
        return niftis
    if found.unread:
        raise unreadable(found.unread.values())
    return found


def mixed_patients(count: int) -> MixedPatients:
    """Say that files are of several patients, where one was asked for."""
    return MixedPatients(
        f"The files belong to {count} patients",
        "one patient",
        "Separate the patients and give each folder by itself",
    )


def one_scan(found: Found) -> Scan:
    """Take the only scan of a folder, or say why there is not exactly one.

    Studies without a usable series count as left out beside one that has one.

    Raises
    ------
    MixedPatients
        Several patients lie there, whether their series can be used or not.
    SeveralScans
        Several studies have a usable series.
    HemocastError
        None has; the error of the study that came nearest.
    """
    if found.patients > 1:
        raise mixed_patients(found.patients)
    if len(found.scans) > 1:
        raise _several(len(found.scans))
    if not found.scans:
        # A reason found in the images tells more than that there was no series, or no CT.
        raise min((refusal.error for refusal in found.refused), key=_farness)
    scan = found.scans[0]
    others = tuple(line for refusal in found.refused for line in refusal.left_out)
    return replace(scan, left_out=scan.left_out + others + found.left_out)


def _farness(error: HemocastError) -> int:
    """How far a refused study is from one that can be used."""
    return 2 if isinstance(error, NoCT) else 1 if isinstance(error, NoHeadSeries) else 0


def _several(count: int) -> SeveralScans:
    return SeveralScans(
        f"There are {count} scans",
        "one scan",
        "Give them one at a time, or several paths",
    )


def read_series(series: Series, left_out: tuple[LeftOut, ...] = ()) -> Volume:
    """Read one stack of CT images as a Volume: sorted, in HU, on an even grid without shear.

    Parameters
    ----------
    series : Series
        From `find_scans`.
    left_out : tuple of LeftOut
        For the record.

    Returns
    -------
    Volume
        `source.corrected` and `source.doubts` say what was done.

    Raises
    ------
    TruncatedFile, MalformedFile, UnsupportedSyntax, TooLarge, Unreadable
        A file of the series cannot be read.
    NotHounsfield
        Its values are not CT numbers.
    DuplicateSlices, MissingSlices, TooFewSlices, BadGeometry
        Its slices do not make a volume.
    """
    notes = _Notes()
    images = _in_place(series, notes)
    first = images[0]
    positions = np.array([image.position for image in images], float)
    rows, columns = first.pixels.rows, first.pixels.columns
    grid = geometry.plan(
        positions,
        first.orientation or (),
        first.spacing or (),
        (rows, columns),
        [image.thickness for image in images],
    )

    def read_one(index: int, out: FloatArray) -> None:
        pixels = images[index].pixels
        values = decode.stored(pixels)
        reading = decode.understand(pixels, values)
        if reading is not decode.Bits.AS_SAID:
            notes.corrected.append(
                "the sign of the stored values was inferred from the values, against the header"
            )
        if not decode.to_hu(pixels, values, reading, out):
            notes.doubts.append("the padding value also occurs in tissue and was not used")

    with warnings.catch_warnings():
        # Decoders warn of much that does no harm, in words taken from the files.
        warnings.simplefilter("ignore")
        hu = regrid.resample(read_one, grid, rows, columns)
    check_hounsfield(hu)
    made_of = [(b.low,) if b.low == b.high else (b.low, b.high) for b in grid.blends]
    slices = [tuple(images[grid.order[i]].sop_uid for i in part) for part in made_of]
    turned, affine, how = regrid.canonical(hu, grid.lps)
    if how[0] in (0, ~0):
        slices = slices[::-1] if how[0] < 0 else slices
    else:
        # The slices were not axial: every plane of the volume crosses all of them.
        slices = [tuple(image.sop_uid for image in images)] * turned.shape[0]
    _describe(grid, images, notes)
    _doubt(series, grid, notes)
    return Volume(
        hu=regrid.whole(turned),
        affine=affine,
        slices=tuple(slices),
        source=Source(
            kind="dicom",
            scan_uid=series.scan_uid,
            n_files=len(series.images),
            corrected=tuple(dict.fromkeys(notes.corrected)),
            doubts=tuple(dict.fromkeys(notes.doubts)),
            left_out=left_out,
            facts=_facts(grid, images),
            simulated=any(image.simulated for image in images),
        ),
    )


class _Notes:
    """Words for the Source, gathered along the way."""

    def __init__(self) -> None:
        self.corrected: list[str] = []
        self.doubts: list[str] = []


def _in_place(series: Series, notes: _Notes) -> list[Image]:
    """The images that make the volume: all checked, one per position."""
    first = series.first
    for image in series.images:
        if image.position is None or image.orientation is None or image.spacing is None:
            raise BadGeometry(
                "An image does not say where it lies",
                "a position, orientation and pixel spacing for every image",
                "Export the series again",
            )
        decode.check(image.pixels)
        shape = image.pixels.rows, image.pixels.columns
        if shape != (first.pixels.rows, first.pixels.columns):
            raise BadGeometry(
                "The images of the series differ in size", "images of one size", "Export it again"
            )
    normal = geometry.axes(first.orientation or ())[2]
    along = [float(np.dot(image.position, normal)) for image in series.images]  # type: ignore[arg-type]
    kept: list[Image] = []
    last = -np.inf
    for index in np.argsort(along, kind="stable"):
        image = series.images[index]
        if along[index] - last > geometry.SAME_PLACE_MM:
            kept.append(image)
            last = along[index]
        elif _same_pixels(kept[-1], image):
            notes.corrected.append("copies of an image at the same position dropped")
        else:
            raise DuplicateSlices(
                "Two different images lie at one position",
                "one image per position",
                "Give one reconstruction, or one time point, by itself",
            )
    if len(kept) < 2:
        raise TooFewSlices("The series has one slice", "a stack of slices", "Give the whole series")
    return kept


def _same_pixels(one: Image, other: Image) -> bool:
    a = np.empty((one.pixels.rows, one.pixels.columns), np.float32)
    b = np.empty_like(a)
    for image, out in ((one, a), (other, b)):
        decode.to_hu(image.pixels, decode.stored(image.pixels), decode.Bits.AS_SAID, out)
    same_place = np.allclose(one.position or (), other.position or (), atol=0.05)
    return bool(same_place and np.array_equal(a, b))


def _describe(grid: geometry.Grid, images: list[Image], notes: _Notes) -> None:
    """Say in words what the geometry needed, and what about it may matter."""
    steps = grid.steps
    if grid.sheared and grid.tilt_degrees >= 0.05:
        notes.corrected.append(f"gantry tilt of {grid.tilt_degrees:.1f} degrees taken out")
    elif grid.sheared:
        notes.corrected.append("slices moved in their plane to their true positions")
    if not grid.even:
        notes.corrected.append(
            f"steps of {min(steps):.2f} to {max(steps):.2f} mm resampled to even {grid.step:.2f} mm"
        )
    thick = max((image.thickness or 0.0 for image in images), default=0.0)
    if thick and max(steps) > geometry.GAP_RATIO * thick:
        notes.doubts.append(
            f"slices at most {thick:g} mm thick lie {max(steps):.1f} mm apart: tissue between them "
            "was not seen"
        )


def _doubt(series: Series, grid: geometry.Grid, notes: _Notes) -> None:
    """Say in words what the headers tell of the series that may matter."""
    if series.joined > 1:
        notes.corrected.append(f"{series.joined} series of one scan joined, which lie end to end")
    if series.lacking:
        notes.doubts.append(
            f"the images are numbered from {series.lacking + 1} on: the series may lack its first "
            f"{series.lacking}"
        )
    first = series.first
    tilt = abs(first.tilt or 0.0)
    if abs(tilt - grid.tilt_degrees) > _TILT_DIFFERS and tilt > _TILT_DIFFERS:
        notes.doubts.append(
            f"the header tells of a gantry tilt of {tilt:.1f} degrees, the slices' places of "
            f"{grid.tilt_degrees:.1f}"
        )
    contrast = contrast_of(first).doubt
    if contrast:
        notes.doubts.append(contrast.value)
    if any(image.pixels.lossy for image in series.images):
        notes.doubts.append("the images were compressed with loss")
    if first.image_type[:1] == ("DERIVED",):
        notes.doubts.append("the images are marked as derived")


def _facts(grid: geometry.Grid, images: list[Image]) -> dict[str, object]:
    """What may be published of the acquisition."""
    first = images[0]
    facts: dict[str, object] = {
        **scanner_facts(first.manufacturer, first.model, first.kernel),
        "kvp": first.kvp,
        "slice_thickness_mm": sorted({i.thickness for i in images if i.thickness is not None}),
        "tilt_degrees": round(grid.tilt_degrees, 2),
        "steps_mm": [round(step, 3) for step in grid.steps],
        "step_mm": round(grid.step, 4),
        "pixel_mm": list(first.spacing or ()),
        "matrix": [first.pixels.rows, first.pixels.columns],
        "transfer_syntax": first.pixels.syntax,
    }
    return {name: value for name, value in facts.items() if value not in ("", None, [])}

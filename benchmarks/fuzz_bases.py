"""Sound files for the fuzz test to damage: one simulated head in every encoding."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

SIZE, PIXEL_MM, STEP_MM, SLICES = 48, 4.5, 12.0, 9
EXPLICIT = "1.2.840.10008.1.2.1"
SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": EXPLICIT,
    "big": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
    "rle": "1.2.840.10008.1.2.5",
    "jpegls": "1.2.840.10008.1.2.4.80",
    "jpegls-near": "1.2.840.10008.1.2.4.81",
    "j2k": "1.2.840.10008.1.2.4.90",
    "j2k-lossy": "1.2.840.10008.1.2.4.91",
    "jpeg-lossless": "1.2.840.10008.1.2.4.70",
    "jpeg-lossless-57": "1.2.840.10008.1.2.4.57",
}
MULTI = ("explicit", "deflated", "rle", "j2k", "jpegls")


def head() -> tuple[np.ndarray, np.ndarray]:
    """HU of an egg in air with noise, shape (slices, rows, columns), and positions, LPS mm."""
    z, y, x = np.ogrid[:SLICES, :SIZE, :SIZE]
    middle = (SIZE - 1) / 2
    mm = [(z - SLICES // 2) * STEP_MM, (y - middle) * PIXEL_MM, (x - middle) * PIXEL_MM]
    radius = np.sqrt((mm[0] / 75) ** 2 + (mm[1] / 85) ** 2 + (mm[2] / 70) ** 2)
    hu = np.where(radius < 0.85, 38.0, np.where(radius < 0.95, 900.0, -1000.0))
    hu = hu + np.random.default_rng(0).normal(0, 4, hu.shape)
    half = middle * PIXEL_MM
    positions = [(-half, -half, (k - SLICES // 2) * STEP_MM) for k in range(SLICES)]
    return hu, np.array(positions)


def write_bases(root: Path) -> dict[str, list[Path]]:
    """Write a folder of files per encoding, and a multi-frame file for some.

    Parameters
    ----------
    root : Path
        An empty folder.

    Returns
    -------
    dict
        Files by the base's name.
    """
    from hemocast.dicom import CTHeader, make_uid, write_ct

    hu, positions = head()
    header = CTHeader("FUZZ", "Fuzz^Test", make_uid("fuzz"), make_uid("fuzz", 1), kernel="H30s")
    axes = [1, 0, 0, 0, 1, 0]
    bases = {}
    for name, syntax in SYNTAXES.items():
        made = EXPLICIT if name.startswith("jpeg-lossless") or name in _LOSSY else syntax
        encoded = replace(header, transfer_syntax=made)
        paths = write_ct(hu, positions, axes, [PIXEL_MM] * 2, encoded, root / name)
        if made != syntax:
            for path in paths:
                transcode(path, name)
        bases[name] = paths
    for name in MULTI:
        path = root / f"multi-{name}" / "frames.dcm"
        path.parent.mkdir()
        _write_multi(hu, positions, path, SYNTAXES[name])
        bases[path.parent.name] = [path]
    return bases


_LOSSY = ("j2k-lossy", "jpegls-near")


def transcode(path: Path, name: str) -> None:
    """Compress a file's pixels with GDCM."""
    import gdcm

    target = {
        "jpeg-lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
        "jpeg-lossless-57": gdcm.TransferSyntax.JPEGLosslessProcess14,
        "j2k-lossy": gdcm.TransferSyntax.JPEG2000,
        "jpegls-near": gdcm.TransferSyntax.JPEGLSNearLossless,
    }[name]
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(target))
    writer = gdcm.ImageWriter()
    partial = path.with_suffix(".part")
    writer.SetFileName(str(partial))
    if not reader.Read():
        raise RuntimeError("a base could not be read back")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise RuntimeError(f"the codec cannot write {name}")
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise RuntimeError(f"the codec cannot write {name}")
    shutil.move(partial, path)


def _write_multi(hu: np.ndarray, positions: np.ndarray, path: Path, syntax: str) -> None:
    """Write an Enhanced CT file: every frame with its place and scale in its own group."""
    from pydicom import Dataset, dcmread
    from pydicom.sequence import Sequence

    from hemocast.dicom import CTHeader, make_uid, write_ct

    header = CTHeader("FUZZ", "Fuzz^Test", make_uid("multi"), make_uid("multi", 1))
    folder = path.parent / "single"
    axes = [1, 0, 0, 0, 1, 0]
    first = write_ct(hu[:1], positions[:1], axes, [PIXEL_MM] * 2, header, folder)[0]
    out = dcmread(first)
    out.PixelData  # noqa: B018  read before its file goes
    shutil.rmtree(folder)
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [PIXEL_MM] * 2, "5"
    plane.ImageOrientationPatient = axes
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    groups = []
    for place in positions:
        group, position, scale = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = list(map(float, place))
        scale.RescaleIntercept, scale.RescaleSlope, scale.RescaleType = "-1024", "1", "HU"
        group.PlanePositionSequence = Sequence([position])
        group.PixelValueTransformationSequence = Sequence([scale])
        groups.append(group)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        del out[keyword]
    out.SharedFunctionalGroupsSequence = Sequence([shared])
    out.PerFrameFunctionalGroupsSequence = Sequence(groups)
    out.NumberOfFrames = len(groups)
    out.PixelData = (np.clip(np.rint(hu), -1024, 3071) + 1024).astype("<u2").tobytes()
    if syntax not in (EXPLICIT, SYNTAXES["deflated"]):
        out.compress(syntax, generate_instance_uid=False)
    out.file_meta.TransferSyntaxUID = syntax
    out.save_as(path, enforce_file_format=True)

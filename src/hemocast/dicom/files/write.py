"""CT numbers -> CT Image Storage files: what the simulator and the tests write."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.files import write_bytes

if TYPE_CHECKING:
    from pydicom import Dataset

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
NATIVE = ("1.2.840.10008.1.2", EXPLICIT_LITTLE, EXPLICIT_BIG, "1.2.840.10008.1.2.1.99")

# The 12 bits of scanners, offset by 1024, whatever the rescale intercept: -1024 to 3071 HU.
LOWEST_HU, HIGHEST_HU = -1024, 3071


@dataclass(frozen=True)
class CTHeader:
    """What a CT series says about itself, apart from its pixels and their places.

    Parameters
    ----------
    patient_id, patient_name : str
        The patient, in DICOM's form ``Family^Given``.
    study_uid, series_uid : str
        Unique identifiers; `make_uid` derives valid ones.
    frame_of_reference_uid : str
        Derived from the study's when empty.
    study_description, series_description : str
        Free text.
    series_number : int
        Number of the series in the study.
    acquired : datetime or None
        Date and time of acquisition; also used for the study and series.
    age : int or None
        Age in years.
    sex : str
        ``"M"``, ``"F"``, ``"O"`` or empty.
    manufacturer, model : str
        The scanner.
    kernel : str
        Name of the convolution kernel.
    kvp : float
        Tube voltage, kV.
    slice_thickness : float or sequence of float
        Nominal thickness, mm, of all slices or of each; need not be the step between them.
    gantry_tilt : float
        Nominal gantry tilt, degrees; its sign depends on the vendor and nothing reads it back.
    body_part, patient_position, image_comments, institution, accession_number : str
        As in DICOM.
    image_type : tuple of str
        At least two values; axial originals by default.
    contrast_agent : str
        Empty for a plain scan.
    signed : bool
        Values are stored in 16 bits with a sign; in 12 bits without one otherwise.
    intercept : int
        RescaleIntercept, HU of a stored 0: -1024, or 0 with a sign.
    padding : int or None
        Stored value of the corners outside the circle that is reconstructed, and
        PixelPaddingValue; None reconstructs the whole square. Needs `signed`.
    transfer_syntax : str
        UID of the encoding; compressed ones need the codec that pydicom names.
    """

    patient_id: str
    patient_name: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str = ""
    study_description: str = ""
    series_description: str = ""
    series_number: int = 1
    acquired: datetime | None = None
    age: int | None = None
    sex: str = ""
    manufacturer: str = ""
    model: str = ""
    kernel: str = ""
    kvp: float = 120.0
    slice_thickness: float | Sequence[float] | NDArray[np.float64] = 5.0
    gantry_tilt: float = 0.0
    body_part: str = "HEAD"
    patient_position: str = "HFS"
    image_comments: str = ""
    institution: str = ""
    accession_number: str = ""
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    contrast_agent: str = ""
    signed: bool = False
    intercept: int = LOWEST_HU
    padding: int | None = None
    transfer_syntax: str = EXPLICIT_LITTLE


def make_uid(*parts: object) -> str:
    """Derive a unique identifier from its parts: the same parts give the same identifier.

    The form is ``2.25.`` and a 128-bit number (DICOM PS3.5 annex B.2), taken from SHA-256.
    """
    text = "\x1f".join(str(part) for part in parts)
    return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], 'big')}"


def write_ct(
    frames_hu: NDArray[Any],
    positions: ArrayLike,
    orientation: ArrayLike,
    pixel_spacing: ArrayLike,
    header: CTHeader,
    where: Path | Sequence[Path],
) -> list[Path]:
    """Write one CT series, one file per slice, each complete or not there.

    Parameters
    ----------
    frames_hu : ndarray, shape (n, rows, columns)
        CT numbers in HU; rounded, and clipped to -1024 .. 3071 as a 12-bit scanner does.
    positions : array_like, shape (n, 3)
        Centre of each slice's first pixel, mm, LPS (ImagePositionPatient).
    orientation : array_like, shape (6,)
        Unit vectors, LPS, along a row and down a column (ImageOrientationPatient).
    pixel_spacing : array_like, shape (2,)
        Distance between rows and between columns, mm (PixelSpacing).
    header : CTHeader
        Everything else.
    where : Path or sequence of Path
        A folder, for files ``0001.dcm`` and so on; or the file of each slice.

    Returns
    -------
    list of Path
        The files, in the order of `frames_hu`.

    Raises
    ------
    ValueError
        Shapes that do not fit together, or stored values that do not fit the header's bits.
    """
    frames = np.asarray(frames_hu)
    places = np.asarray(positions, dtype=float)
    if frames.ndim != 3 or places.shape != (len(frames), 3):
        raise ValueError(f"{frames.shape} frames do not go with {places.shape} positions")
    if isinstance(where, Path):
        paths = [where / f"{i:04d}.dcm" for i in range(1, len(frames) + 1)]
    else:
        paths = list(where)
    if len(paths) != len(frames):
        raise ValueError(f"{len(paths)} files for {len(frames)} frames")
    thick = np.ravel(header.slice_thickness)
    if len(thick) not in (1, len(frames)):
        raise ValueError(f"{len(thick)} thicknesses for {len(frames)} frames")
    stored = _stored(frames, header)
    axes = [_decimal(v) for v in np.asarray(orientation, dtype=float).reshape(6)]
    spacing = [_decimal(v) for v in np.asarray(pixel_spacing, dtype=float).reshape(2)]
    dataset = _common(header, axes, spacing, stored.shape[1], stored.shape[2])
    for index, (pixels, place, path) in enumerate(zip(stored, places, paths, strict=True)):
        dataset.SOPInstanceUID = make_uid(header.series_uid, index)
        dataset.InstanceNumber = index + 1
        dataset.ImagePositionPatient = [_decimal(v) for v in place]
        dataset.SliceThickness = _decimal(thick[index % len(thick)])
        dataset.PixelData = pixels.tobytes()
        write_bytes(path, encode(dataset, header.transfer_syntax))
    return paths


def _stored(frames: NDArray[Any], header: CTHeader) -> NDArray[Any]:
    """Return CT numbers as the header says they are stored, its corners padded."""
    if not header.signed and (header.intercept != LOWEST_HU or header.padding is not None):
        raise ValueError("12 bits without a sign need an intercept of -1024 and no padding")
    hu = np.clip(np.rint(frames), LOWEST_HU, HIGHEST_HU)
    stored: NDArray[Any] = (hu - header.intercept).astype("<i2" if header.signed else "<u2")
    if header.padding is not None:
        y, x = (2 * np.arange(n) - (n - 1) for n in stored.shape[1:])
        stored[:, np.hypot(y[:, None] / len(y), x / len(x)) > 1] = header.padding
    return stored


def encode(dataset: Dataset, transfer_syntax: str) -> bytes:
    """Encode a dataset with native little-endian pixels as a DICOM file.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Holds its own SOP class and instance UIDs; is not changed.
    transfer_syntax : str
        UID of the encoding to write.
    """
    from pydicom import Dataset
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax)
    out: Dataset = dataset
    if transfer_syntax not in NATIVE:
        out = FileDataset(io.BytesIO(), dict(dataset.items()), preamble=b"\0" * 128, file_meta=meta)
        meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE)
        out.compress(UID(transfer_syntax), generate_instance_uid=False)
    else:
        out = Dataset(dict(dataset.items()))
        if transfer_syntax == EXPLICIT_BIG:
            out.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
        out.file_meta = meta
    buffer = io.BytesIO()
    dcmwrite(buffer, out, enforce_file_format=True)
    return buffer.getvalue()


def _common(
    header: CTHeader, axes: list[str], spacing: list[str], rows: int, columns: int
) -> Dataset:
    """Everything that is the same in all slices of a series."""
    from pydicom import Dataset

    when = header.acquired
    date, time = (when.strftime("%Y%m%d"), when.strftime("%H%M%S")) if when else ("", "")
    dataset = Dataset()
    values: dict[str, object] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": list(header.image_type),
        "SOPClassUID": CT_IMAGE_STORAGE,
        "AccessionNumber": header.accession_number,
        "Modality": "CT",
        "Manufacturer": header.manufacturer,
        "InstitutionName": header.institution,
        "ReferringPhysicianName": "",
        "StudyDescription": header.study_description,
        "SeriesDescription": header.series_description,
        "ManufacturerModelName": header.model,
        "PatientName": header.patient_name,
        "PatientID": header.patient_id,
        "PatientBirthDate": "",
        "PatientSex": header.sex,
        "BodyPartExamined": header.body_part,
        "KVP": _decimal(header.kvp),
        "GantryDetectorTilt": _decimal(header.gantry_tilt),
        "ConvolutionKernel": header.kernel,
        "PatientPosition": header.patient_position,
        "StudyInstanceUID": header.study_uid,
        "SeriesInstanceUID": header.series_uid,
        "StudyID": "1",
        "SeriesNumber": header.series_number,
        "AcquisitionNumber": 1,
        "ImageOrientationPatient": axes,
        "FrameOfReferenceUID": header.frame_of_reference_uid
        or make_uid(header.study_uid, "frame of reference"),
        "PositionReferenceIndicator": "",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "PixelSpacing": spacing,
        "BitsAllocated": 16,
        "BitsStored": 16 if header.signed else 12,
        "HighBit": 15 if header.signed else 11,
        "PixelRepresentation": int(header.signed),
        "RescaleIntercept": str(header.intercept),
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }
    for moment in ("Study", "Series", "Acquisition", "Content"):
        values[f"{moment}Date"] = date
        values[f"{moment}Time"] = time
    if header.age is not None:
        values["PatientAge"] = f"{header.age:03d}Y"
    if header.image_comments:
        values["ImageComments"] = header.image_comments
    if header.contrast_agent:
        values["ContrastBolusAgent"] = header.contrast_agent
    if header.padding is not None:
        values["PixelPaddingValue"] = header.padding
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    # Assigning bytes later keeps this VR.
    dataset.add_new("PixelData", "OW", b"")
    return dataset


def _decimal(value: float) -> str:
    """Write a number as a DICOM decimal string, at most 16 characters."""
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(value)))

"""One image of a DICOM file: what its header says, and where its pixels lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFLATED = "1.2.840.10008.1.2.1.99"
CT_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2",  # CT Image Storage
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
    }
)


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where one frame's pixels lie in a file, and how they are stored.

    Parameters
    ----------
    path : Path
        The file.
    offset, length : int or None
        Where the pixel data begin and how many bytes they take; no `offset` when the file has to be
        inflated first, no `length` when they are encapsulated.
    frame, n_frames : int
        Which frame, of how many.
    rows, columns, samples, bits_allocated, bits_stored : int
        Layout; 0 where the header does not say.
    signed : bool
        Two's complement.
    little_endian : bool
        Byte order.
    syntax : str
        UID of the transfer syntax.
    slope, intercept : float or None
        From stored values to HU.
    rescale_type, photometric : str
        As stored.
    padding : tuple of int
        Lowest and highest stored value that means "no data"; empty when there is none.
    lossy : bool
        Compressed with loss at some time.
    complete : bool
        All the bytes announced are there.
    """

    path: Path
    offset: int | None
    length: int | None
    frame: int
    n_frames: int
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    little_endian: bool
    syntax: str
    slope: float | None
    intercept: float | None
    rescale_type: str
    photometric: str
    padding: tuple[int, ...]
    lossy: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Image:
    """One image: a file, or one frame of a multi-frame file. Texts are stripped and upper case.

    Positions are mm, LPS, of the first pixel's centre; `orientation` holds the unit vectors along
    a row and down a column; `spacing` is between rows, then between columns, mm. ``None`` where the
    header does not say or says nonsense. `patient` tells patients apart: PatientID, else name and
    birth date; `frame_uid` is FrameOfReferenceUID; `tilt` is GantryDetectorTilt, degrees, and
    never used for geometry; `age` is in years; `simulated` tells images that this package's
    simulator made.
    """

    patient: str
    age: int | None
    sex: str
    simulated: bool
    study_uid: str
    series_uid: str
    sop_uid: str
    frame_uid: str
    sop_class: str
    modality: str
    image_type: tuple[str, ...]
    texts: tuple[str, ...]
    series_text: str
    body_part: str
    kernel: str
    contrast: str
    manufacturer: str
    model: str
    kvp: float | None
    acquired: str
    series_number: int | None
    acquisition_number: int | None
    instance_number: int | None
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    thickness: float | None
    tilt: float | None
    pixels: Pixels

    @property
    def patient_key(self) -> str:
        """What a pseudonym is made from; protected health information.

        PatientID, else name and birth date, else StudyInstanceUID, so that two nameless studies
        never become one patient.
        """
        return self.patient if self.patient.strip("\x1f ") else self.study_uid

"""What was not used and why: series by a code that stays and words made of it, studies refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hemocast.tables import MISSING


class LeftOutCode(StrEnum):
    """Why; the value is what tables hold and does not change, the words may."""

    NOT_DICOM = "not-dicom"
    DAMAGED_HEADER = "damaged-header"
    NOT_THERE = "not-there"
    NOT_PREFERRED = "not-preferred"
    NOT_CT = "not-ct"
    LOCALIZER = "localizer"
    SECONDARY_CAPTURE = "secondary-capture"
    DERIVED = "derived"
    NO_PLACE = "no-place"
    PERFUSION = "perfusion"
    CONTRAST = "contrast"
    BONE_KERNEL = "bone-kernel"
    NOT_HEAD = "not-head"
    BAD_ORIENTATION = "bad-orientation"
    NOT_AXIAL = "not-axial"
    TOO_FEW_SLICES = "too-few-slices"
    TOO_LONG = "too-long"
    OTHER = "other"

    @property
    def words(self) -> str:
        """What the code means, a clause."""
        return _WORDS[self]

    @property
    def stray(self) -> bool:
        """Whether it is said of files that belong to no series."""
        return self in (
            LeftOutCode.NOT_DICOM,
            LeftOutCode.DAMAGED_HEADER,
            LeftOutCode.NOT_THERE,
        )


_WORDS = {
    LeftOutCode.NOT_DICOM: "not DICOM images",
    LeftOutCode.DAMAGED_HEADER: "header damaged or cut off",
    LeftOutCode.NOT_THERE: "listed in the medium's DICOMDIR, but not there",
    LeftOutCode.NOT_PREFERRED: "another series of the study was preferred",
    LeftOutCode.NOT_CT: "not CT",
    LeftOutCode.LOCALIZER: "localizer",
    LeftOutCode.SECONDARY_CAPTURE: "secondary capture, a picture and not a CT image",
    LeftOutCode.DERIVED: "derived from other images",
    LeftOutCode.NO_PLACE: "images without a position, orientation or pixel spacing",
    LeftOutCode.PERFUSION: "perfusion or dynamic series",
    LeftOutCode.CONTRAST: "made with contrast agent",
    LeftOutCode.BONE_KERNEL: "reconstructed for bone",
    LeftOutCode.NOT_HEAD: "not of the head",
    LeftOutCode.BAD_ORIENTATION: "an orientation that cannot be",
    LeftOutCode.NOT_AXIAL: "not axial",
    LeftOutCode.TOO_FEW_SLICES: "too few slices or too little height for a head",
    LeftOutCode.TOO_LONG: "more than a head",
    LeftOutCode.OTHER: "another reason",
}


@dataclass(frozen=True)
class LeftOut:
    """A series, or files of none, that were not used. Holds no PHI.

    Parameters
    ----------
    code : LeftOutCode
        Why.
    images : int
        How many images the series has, or how many files there are.
    series : int or None
        SeriesNumber, where the header has one.
    detail : str
        What more is known, a clause: ``"MR"``, ``"series 2 covers 150 mm"``.
    """

    code: LeftOutCode
    images: int = 1
    series: int | None = None
    detail: str = ""

    @property
    def reason(self) -> str:
        """Why, in words."""
        if self.code is LeftOutCode.OTHER and self.detail:
            return self.detail
        return f"{self.code.words}: {self.detail}" if self.detail else self.code.words

    def __str__(self) -> str:
        number = "without a number" if self.series is None else self.series
        what = f"series {number} ({self.images} image(s))"
        return f"{f'{self.images} file(s)' if self.code.stray else what} left out: {self.reason}"


@dataclass(frozen=True)
class RefusedStudy:
    """A study, or a whole source, that did not enter a dataset. Holds no PHI.

    Parameters
    ----------
    participant_id : str
        Pseudonym; ``n/a`` for a whole source.
    code, message : str
        Of the refusal.
    study : str
        Pseudonym, by which a study that was refused twice counts once; ``n/a`` for a whole source,
        "" where not known.
    """

    participant_id: str
    code: str
    message: str
    study: str = MISSING

    @property
    def source(self) -> bool:
        """Whether no study was reached at all: a folder, zip or server could not be read."""
        return self.study == MISSING

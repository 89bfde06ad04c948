"""What a hospital is told of one scan, before it takes any form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from hemocast.report.language import ENGLISH, Language

if TYPE_CHECKING:
    from pydicom import Dataset

    from hemocast.errors import HemocastError
    from hemocast.model.prediction import Prediction
    from hemocast.signs.measured import Signs
    from hemocast.volume import Affine, BoolArray


class Kind(StrEnum):
    """A DICOM object that can be made; its name is that of its file, too."""

    CAPTURE = "capture"
    """Secondary capture: the picture that every workstation shows. Always made."""
    REPORT = "report"
    """Structured report (TID 1500)."""
    HEATMAP = "heatmap"
    """Parametric map of the evidence for HT."""
    INFARCT = "infarct"
    """Segmentation of the acute infarct."""
    DOCUMENT = "document"
    """Encapsulated PDF of the case's page, where there is one."""


EVERYTHING = frozenset(Kind)


@dataclass(frozen=True)
class ModelName:
    """Which model answered.

    Parameters
    ----------
    name, version : str
        As its description has them.
    hash : str
        SHA-256 of its ``model.yaml``.
    """

    name: str
    version: str
    hash: str

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Name the model of a prediction."""
        return cls(prediction.model_name, prediction.model_version, prediction.model_hash)


@dataclass(frozen=True, repr=False)
class Analysed:
    """A scan with an answer.

    Parameters
    ----------
    prediction : Prediction
        What the model answered; its stack says where the heatmap lies and whether sides are known.
    signs : Signs or None
        What was measured.
    infarct : ndarray of bool, shape (z, y, x), or None
        The infarct's mask on the scan's grid, as `hemocast.pipeline.scan_signs` makes it.
    affine : ndarray of float64, shape (4, 4), or None
        Of that grid: `hemocast.volume.Volume.affine`.
    """

    prediction: Prediction
    signs: Signs | None = None
    infarct: BoolArray | None = None
    affine: Affine | None = None

    @property
    def sides_known(self) -> bool:
        """Whether left and right may be named."""
        known = self.signs is None or self.signs.sides_known
        return known and self.prediction.stack.record.sides_known


@dataclass(frozen=True)
class Refused:
    """A scan, or study, that was not analysed.

    Parameters
    ----------
    code : str
        Of the refusal.
    seen, expected, action : str
        As `hemocast.errors.HemocastError` has them; the last two may be empty.
    """

    code: str
    seen: str
    expected: str = ""
    action: str = ""

    @classmethod
    def of(cls, error: HemocastError) -> Self:
        """Tell of an error."""
        return cls(error.code, error.seen, error.expected, error.action)


@dataclass(frozen=True, repr=False)
class Result:
    """What is delivered of one scan.

    Parameters
    ----------
    headers : tuple of pydicom.Dataset
        Of the images that were read, without their pixels, in the order of the slices
        (`hemocast.deliver.read_headers`); of a study without a series to read, any of its images.
        Never empty. Protected health information.
    answer : Analysed or Refused
        What became of the scan.
    made : datetime
        When the answer was made; with a time zone, or in the hospital's own time. Kept with the
        answer, so that the same objects can be made again.
    model : ModelName or None
        Which answered, or was to; None: no model was chosen.
    language : Language
        Of the picture; what else DICOM holds is English.
    wanted : frozenset of Kind
        Which objects the institution takes; the secondary capture is always made.
    revision : int
        1, or more where it replaces results sent before (late slices).
    simulated : bool
        No patient was scanned, or the model learned from simulated heads alone.
    notice : str
        What every output of the model must say.
    pdf : bytes or None
        The case's page as PDF, to be encapsulated.

    Raises
    ------
    ValueError
        There is no header, or the revision is below 1.
    """

    headers: tuple[Dataset, ...]
    answer: Analysed | Refused
    made: datetime
    model: ModelName | None = None
    language: Language = ENGLISH
    wanted: frozenset[Kind] = EVERYTHING
    revision: int = 1
    simulated: bool = False
    notice: str = ""
    pdf: bytes | None = None

    def __post_init__(self) -> None:
        if not self.headers or self.revision < 1:
            raise ValueError("a result has a header and a revision of 1 or more")

    @property
    def first(self) -> Dataset:
        """The header that speaks for all."""
        return self.headers[0]

"""One series -> why it is not a plain axial head CT, from its header's words and places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.header.image import CT_CLASSES, Image
from hemocast.dicom.header.kernels import is_bone
from hemocast.dicom.series.found import Series
from hemocast.dicom.words.contrast import Contrast, Said, judge_contrast, said_of_contrast
from hemocast.dicom.words.terms import Meaning, means
from hemocast.errors import (
    BoneKernel,
    ContrastGiven,
    HemocastError,
    NoCT,
    NoHeadSeries,
    TooFewSlices,
)
from hemocast.left_out import LeftOut, LeftOutCode

Vector = NDArray[np.float64]

MIN_SLICES = 8
MIN_COVERAGE_MM = 80.0  # the cerebrum alone is higher than this
MAX_COVERAGE_MM = 600.0
MAX_FROM_AXIAL = 45.0  # degrees; gantries tilt up to 30

_MODALITIES = {
    "MR", "PT", "NM", "CR", "DX", "US", "SR", "OT", "SC", "XA", "RF", "MG", "PR", "KO", "SEG",
}  # fmt: skip


@dataclass(frozen=True)
class Exclusion:
    """Why a series is not a plain axial head CT.

    Parameters
    ----------
    code : LeftOutCode
        Why.
    detail : str
        What more is known, as in `LeftOut`.
    """

    code: LeftOutCode
    detail: str = ""

    @property
    def error(self) -> HemocastError:
        """The refusal, for whoever finds no better series."""
        if self.code is LeftOutCode.CONTRAST:
            return ContrastGiven(
                "The scan was made with contrast agent",
                "a plain scan",
                "Give the plain series of the same study",
            )
        if self.code is LeftOutCode.BONE_KERNEL:
            return BoneKernel(
                "The images are reconstructed for bone",
                "a soft-tissue (brain) reconstruction",
                "Give the brain reconstruction of the same scan",
            )
        if self.code is LeftOutCode.TOO_FEW_SLICES:
            return TooFewSlices(
                f"The series has {self.detail}",
                f"at least {MIN_SLICES} slices over at least {MIN_COVERAGE_MM:.0f} mm",
                "Give the whole series; if files are missing, export it again",
            )
        seen = LeftOut(self.code, detail=self.detail).reason
        if self.code is LeftOutCode.NOT_CT:
            return NoCT(seen, "CT images", "Export the plain head CT of the study")
        expected = "a plain axial series of the head"
        return NoHeadSeries(seen, expected, "Export that series of the study")


def exclusion_of(series: Series) -> Exclusion | None:
    """Why a series cannot be used, the plainest reason first; nothing when it can."""
    return _of_kind(series) or exclusion_by_words(series.first) or _of_extent(series)


def _of_kind(series: Series) -> Exclusion | None:
    """Say why it is not a stack of original CT slices."""
    first = series.first
    if first.modality and first.modality != "CT":
        known = first.modality if first.modality in _MODALITIES else "something else"
        return Exclusion(LeftOutCode.NOT_CT, known)
    if first.sop_class not in CT_CLASSES and first.modality != "CT":
        return Exclusion(LeftOutCode.NOT_CT)
    if _says(first, Meaning.LOCALIZER):
        return Exclusion(LeftOutCode.LOCALIZER)
    if first.sop_class not in CT_CLASSES or first.pixels.samples != 1:
        return Exclusion(LeftOutCode.SECONDARY_CAPTURE)
    if first.image_type[:2] == ("DERIVED", "SECONDARY") or means(
        " ".join(first.image_type[2:]), Meaning.MADE
    ):
        return Exclusion(LeftOutCode.DERIVED)
    if any(i.position is None or i.orientation is None or i.spacing is None for i in series.images):
        return Exclusion(LeftOutCode.NO_PLACE)
    return None


@dataclass(frozen=True)
class Words:
    """What a sidecar made from headers says of a series, as `Image` has it: upper case."""

    series_text: str
    texts: tuple[str, ...]
    image_type: tuple[str, ...]
    body_part: str
    kernel: str
    contrast: str


def exclusion_by_words(first: Image | Words) -> Exclusion | None:
    """Say why it is not plain, of the head, or reconstructed for brain."""
    series = first.series_text
    if _says(first, Meaning.LOCALIZER):
        return Exclusion(LeftOutCode.LOCALIZER)
    if _says(first, Meaning.PERFUSION):
        return Exclusion(LeftOutCode.PERFUSION)
    # Before contrast: a virtual plain image is computed from an enhanced one.
    if means(series, Meaning.MADE_WORDS):
        return Exclusion(LeftOutCode.DERIVED)
    if contrast_of(first).given:
        return Exclusion(LeftOutCode.CONTRAST)
    if is_bone(first.kernel) or means(series, Meaning.BONE):
        return Exclusion(LeftOutCode.BONE_KERNEL)
    # The body part and the study's title are often the protocol's, the series' own words are not.
    for text in (series, first.body_part, " ".join((series, *first.texts))):
        if means(text, Meaning.HEAD):
            break
        if means(text, Meaning.ELSEWHERE):
            return Exclusion(LeftOutCode.NOT_HEAD)
    return None


def _says(first: Image | Words, meaning: Meaning) -> bool:
    """Tell whether the series' name, or ImageType, has a word of this meaning."""
    return means(first.series_text, meaning) or means(" ".join(first.image_type), meaning)


def contrast_of(first: Image | Words) -> Contrast:
    """Weigh what the header says of contrast agent."""
    return judge_contrast(first.series_text, first.texts[-1] if first.texts else "", first.contrast)


def _of_extent(series: Series) -> Exclusion | None:
    """Say why it does not lie across the body or reach over a head."""
    normal = axial_normal(series)
    if normal is None:
        return Exclusion(LeftOutCode.BAD_ORIENTATION)
    if abs(normal[2]) < np.cos(np.radians(MAX_FROM_AXIAL)):
        return Exclusion(LeftOutCode.NOT_AXIAL)
    places = {round(v, 2) for v in heights(series, normal)}
    coverage = coverage_mm(series)
    if len(places) < MIN_SLICES or coverage < MIN_COVERAGE_MM:
        detail = f"{len(places)} slice(s) that cover {coverage:.0f} mm"
        return Exclusion(LeftOutCode.TOO_FEW_SLICES, detail)
    if coverage > MAX_COVERAGE_MM:
        return Exclusion(LeftOutCode.TOO_LONG, f"covers {coverage:.0f} mm")
    return None


def axial_normal(series: Series) -> Vector | None:
    """Unit vector across the slices, LPS; nothing when the header's is nonsense."""
    orientation = series.first.orientation
    if orientation is None:
        return None
    normal: Vector = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0.5 else None


def heights(series: Series, normal: Vector | None) -> list[float]:
    """Positions along a direction, mm."""
    if normal is None:
        return [0.0]
    return [float(np.dot(i.position, normal)) for i in series.images if i.position is not None]


def coverage_mm(series: Series) -> float:
    """Height covered, the outer slices' own thickness taken as the mean step."""
    along = heights(series, axial_normal(series))
    places = len({round(v, 2) for v in along})
    return (max(along) - min(along)) * places / (places - 1) if places > 1 else 0.0


def is_named_head(image: Image) -> bool:
    """Tell whether any text of the header speaks of a head."""
    return any(means(t, Meaning.HEAD) for t in (image.body_part, image.series_text, *image.texts))


def is_named_plain(image: Image) -> bool:
    """Tell whether any text of the header says that no contrast agent was given."""
    return any(said_of_contrast(t) is Said.PLAIN for t in (image.series_text, *image.texts))

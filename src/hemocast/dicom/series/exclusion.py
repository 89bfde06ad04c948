"""One series -> why it is not a plain axial head CT, from its header's words and places."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.header.images import CT_CLASSES, Image
from hemocast.dicom.series.find import Series
from hemocast.errors import (
    BoneKernel,
    ContrastGiven,
    HemocastError,
    NoCT,
    NoHeadSeries,
    TooFewSlices,
)

Vector = NDArray[np.float64]

MIN_SLICES = 8
MIN_COVERAGE_MM = 80.0  # the cerebrum alone is higher than this
MAX_COVERAGE_MM = 600.0
MAX_FROM_AXIAL = 45.0  # degrees; gantries tilt up to 30

_LOCALIZER = re.compile(r"LOCALI[SZ]ER|SCOUT|TOPOGRAM|SURVIEW|SCANOGRAM|PILOT")
_MADE = re.compile(
    r"\b(MPR|MIP|MINIP|VRT|VR|3D|REFORMATTED|CURVED|PROJECTION IMAGE|SCREEN|DOSE|DOSE_INFO)\b"
)
_PERFUSION = re.compile(r"PERF|\bCTP\b|\bCBF\b|\bCBV\b|\bMTT\b|TMAX|DYNAMIC|CINE")
_PLAIN = re.compile(
    r"(WITHOUT|\bW/?O\b|\bOHNE\b|\bSANS\b|\bSIN\b|\bNO\b|\bNON\b)[ -]*(IV|I\.V\.)?[ -]*"
    r"(CONTRAST|CONTRASTE|KM|CE|ENHANCED|CON)\b|WITHOUT|\bW/?O\b|NONCON\w*|\bNCCT\b|\bNECT\b"
    r"|\bPLAIN\b|NATI[VF]|UNENHANCED|\bC-(?!\w)|\bPRE[ -]?CONTRAST"
)
_CONTRAST = re.compile(
    r"\bCTA\b|ANGIO|\bC\+|\+C\b|\bCECT\b|\bCE\b|ENHANCED|VENOUS|ARTERIAL|CONTRAST|\bKM\b"
)
_NO_AGENT = {
    "",
    "NONE",
    "NO",
    "N",
    "N/A",
    "NA",
    "0",
    "-",
    "NIL",
    "UNENHANCED",
    "WITHOUT",
    "NO CONTRAST",
}
_BONE_WORDS = re.compile(r"\bBONES?\b|OSSEUS|OSTEO|KNOCHEN|\bOS\b|\bLUNG\b")
_BONE_NAMES = re.compile(r"^(BONE|EDGE|LUNG|ULTRA|HD ?BONE|Y[CDE]|FC(3[0-59]|5\d|8\d))")
_NUMBERED = re.compile(r"^[A-Z]{1,2}(\d\d)[A-Z]?\b")  # Siemens: H60S, J70H, HR64
_SHARPEST_SOFT = 54
_HEAD = re.compile(
    r"HEAD|BRAIN|CEREBR|SKULL|CRANI|KOPF|SCHAEDEL|SCHÄDEL|TETE|TÊTE|CABEZA|ENCEPH|STROKE"
)
_ELSEWHERE = re.compile(
    r"CHEST|THORA|ABD|PELV|SPINE|HEART|CARDI|LUNG|KNEE|ANKLE|FOOT|HAND|WRIST|SHOULDER|HIP\b|ELBOW"
    r"|\bLEG|\bARM|EXTREM|LIVER|KIDNEY|NECK|SINUS|ORBIT|FACE|TEMPORAL|DENTAL|\bIAC\b|WHOLE ?BODY"
)
_MODALITIES = {
    "MR",
    "PT",
    "NM",
    "CR",
    "DX",
    "US",
    "SR",
    "OT",
    "SC",
    "XA",
    "RF",
    "MG",
    "PR",
    "KO",
    "SEG",
}


def refusal_of(series: Series) -> HemocastError | None:
    """Why a series cannot be used, the plainest reason first; nothing when it can.

    Raises nothing: the error is for the record or for whoever finds no better series.
    """
    return _kind(series) or purpose_refusal(series.first) or _extent(series)


def _kind(series: Series) -> HemocastError | None:
    """Say why it is not a stack of original CT slices."""
    first = series.first
    kinds = " ".join(first.image_type)
    if first.modality and first.modality != "CT":
        known = first.modality if first.modality in _MODALITIES else "something else"
        return _no_ct(f"not CT but {known}")
    if first.sop_class not in CT_CLASSES and first.modality != "CT":
        return _no_ct("not CT")
    if _LOCALIZER.search(f"{kinds} {first.series_text}"):
        return _no_head("localizer")
    if first.sop_class not in CT_CLASSES or first.pixels.samples != 1:
        return _no_head("secondary capture, a picture and not a CT image")
    if first.image_type[:2] == ("DERIVED", "SECONDARY") or _MADE.search(
        " ".join(first.image_type[2:])
    ):
        return _no_head("derived from other images")
    if any(i.position is None or i.orientation is None or i.spacing is None for i in series.images):
        return _no_head("images without a position, orientation or pixel spacing")
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


def purpose_refusal(first: Image | Words) -> HemocastError | None:
    """Say why it is not plain, of the head, or reconstructed for brain."""
    text = " ".join((first.series_text, *first.texts))
    if _PERFUSION.search(f"{first.series_text} {' '.join(first.image_type)}"):
        return _no_head("perfusion or dynamic series")
    # What the series says of itself goes before what the study's title says of all its series.
    own_plain = bool(_PLAIN.search(first.series_text))
    own_contrast = bool(_CONTRAST.search(_PLAIN.sub(" ", first.series_text)))
    agent = first.contrast not in _NO_AGENT and not _PLAIN.search(first.contrast)
    if own_contrast or (agent and not own_plain):
        return ContrastGiven(
            "The scan was made with contrast agent",
            "a plain scan",
            "Give the plain series of the same study",
        )
    if _is_bone(first.kernel) or _BONE_WORDS.search(first.series_text):
        return BoneKernel(
            "The images are reconstructed for bone",
            "a soft-tissue (brain) reconstruction",
            "Give the brain reconstruction of the same scan",
        )
    # The body part and the study's title are often the protocol's, the series' own words are not.
    for words in (first.series_text, first.body_part, text):
        if _HEAD.search(words):
            break
        if _ELSEWHERE.search(words):
            return _no_head("not of the head")
    return None


def _is_bone(kernel: str) -> bool:
    """Tell a bone or lung kernel by its name, as the four large vendors name them."""
    if _BONE_NAMES.match(kernel):
        return True
    numbered = _NUMBERED.match(kernel)
    return bool(
        numbered and not kernel.startswith("FC") and int(numbered.group(1)) > _SHARPEST_SOFT
    )


def _extent(series: Series) -> HemocastError | None:
    """Say why it does not lie across the body or reach over a head."""
    normal = axial_normal(series)
    if normal is None:
        return _no_head("an orientation that cannot be")
    if abs(normal[2]) < np.cos(np.radians(MAX_FROM_AXIAL)):
        return _no_head("not axial")
    places = {round(v, 2) for v in heights(series, normal)}
    coverage = coverage_mm(series)
    if len(places) < MIN_SLICES or coverage < MIN_COVERAGE_MM:
        return TooFewSlices(
            f"The series has {len(places)} slice(s) that cover {coverage:.0f} mm",
            f"at least {MIN_SLICES} slices over at least {MIN_COVERAGE_MM:.0f} mm",
            "Give the whole series; if files are missing, export it again",
        )
    if coverage > MAX_COVERAGE_MM:
        return _no_head(f"covers {coverage:.0f} mm, more than a head")
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
    return bool(_HEAD.search(" ".join((image.body_part, image.series_text, *image.texts))))


def is_named_plain(image: Image) -> bool:
    """Tell whether any text of the header says that no contrast agent was given."""
    return bool(_PLAIN.search(" ".join((image.series_text, *image.texts))))


def _no_ct(seen: str) -> NoCT:
    return NoCT(seen, "CT images", "Export the plain head CT of the study")


def _no_head(seen: str) -> NoHeadSeries:
    return NoHeadSeries(seen, "a plain axial series of the head", "Export that series of the study")

"""The series of one study -> the plain axial head series, and words on why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from hemocast.dicom.series.exclusion import (
    axial_normal,
    coverage_mm,
    heights,
    is_named_head,
    is_named_plain,
    refusal_of,
)
from hemocast.dicom.series.find import Refusal, Scan, Series
from hemocast.errors import (
    BadGeometry,
    BoneKernel,
    ContrastGiven,
    HemocastError,
    NoCT,
    NoHeadSeries,
    TooFewSlices,
)


@dataclass(frozen=True)
class Verdict:
    """What is thought of one series.

    Parameters
    ----------
    series : Series
        The series.
    refusal : HemocastError or None
        Why it cannot be used.
    score : float
        Higher is better, for those that can.
    reasons : tuple of str
        What the score is made of.
    """

    series: Series
    refusal: HemocastError | None
    score: float = 0.0
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What to call the series without telling anything of the patient."""
        number = self.series.first.series_number
        return f"series {'without a number' if number is None else number}"

    def left_out(self, why: str) -> str:
        """One line for the record."""
        return f"{self.name} ({len(self.series.images)} image(s)) left out: {why}"


def judge(series: Series) -> Verdict:
    """Say whether a series is a plain axial head CT, and how good a one.

    Header words decide, then the geometry. Pixels have the last word later, in other rooms.
    """
    refusal = refusal_of(series)
    if refusal is not None:
        return Verdict(series, refusal)
    first = series.first
    thickness = float(np.median([i.thickness or 0.0 for i in series.images]))
    coverage = coverage_mm(series)
    parts = [
        (2.0, "an original image", first.image_type[:1] == ("ORIGINAL",)),
        (2.0, "named as head", is_named_head(first)),
        (1.0, "named as plain", is_named_plain(first)),
        (2.0, f"slices of {thickness:g} mm, near the 5 mm wanted", 3.0 <= thickness <= 6.0),
        (1.0, f"slices of {thickness:g} mm", 2.0 <= thickness < 3.0 or 6.0 < thickness <= 8.0),
        (2.0, f"covers {coverage:.0f} mm", 120.0 <= coverage <= 300.0),
    ]
    score = sum(points for points, _, holds in parts if holds)
    return Verdict(series, None, score, tuple(words for _, words, holds in parts if holds))


def choose(stacks: list[Series]) -> Scan | Refusal:
    """Choose one study's plain axial head series.

    Parameters
    ----------
    stacks : list of Series
        All of one study; not empty.

    Returns
    -------
    Scan or Refusal
        The refusal carries the error of the series that came nearest.
    """
    verdicts = [judge(stack) for stack in stacks]
    good = sorted((v for v in verdicts if v.refusal is None), key=_rank)
    bad = [v.left_out(_lower(v.refusal)) for v in verdicts if v.refusal is not None]
    first = stacks[0].first
    if not good:
        return Refusal(
            first.patient_id, first.study_uid, _nearest(verdicts, bad), tuple(bad), first.patient
        )
    best, rest = good[0], good[1:]
    if any(_extends(verdict, best.series) for verdict in verdicts if verdict is not best):
        error = BadGeometry(
            "One series changes its pixel size, orientation or reconstruction between slices, so "
            "that no part of it covers the head alone",
            "slices of one grid and orientation",
            "Export a reconstruction of the whole head in one piece",
        )
        return Refusal(first.patient_id, first.study_uid, error, tuple(bad), first.patient)
    preferred = ", ".join(best.reasons) or "lower series number"
    second = [v.left_out(f"{best.name} was preferred: {preferred}") for v in rest]
    return Scan(
        patient_id=best.series.first.patient_id,
        study_uid=best.series.first.study_uid,
        acquired=_when(best.series),
        series=best.series,
        left_out=tuple(second + bad),
        patient=best.series.first.patient,
        reasons=best.reasons,
        age=best.series.first.age,
        sex=best.series.first.sex,
    )


def _rank(verdict: Verdict) -> tuple[float, int, str]:
    first = verdict.series.first
    return -verdict.score, first.series_number or 0, first.series_uid


def _extends(verdict: Verdict, best: Series) -> bool:
    """Tell whether two stacks of one series lie end to end, so that either alone is half a head."""
    if verdict.refusal is not None and not isinstance(verdict.refusal, TooFewSlices):
        return False
    other = verdict.series
    if other.first.series_uid != best.first.series_uid:
        return False
    up = axial_normal(best)
    mine, theirs = heights(best, up), heights(other, up)
    return max(theirs) > max(mine) + 10.0 or min(theirs) < min(mine) - 10.0


def _when(series: Series) -> datetime | None:
    for image in series.images:
        for form, length in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12), ("%Y%m%d", 8)):
            try:
                return datetime.strptime(image.acquired[:length], form)
            except ValueError:
                continue
    return None


def _lower(error: HemocastError | None) -> str:
    return "" if error is None else error.seen[:1].lower() + error.seen[1:]


def _nearest(verdicts: list[Verdict], reasons: list[str]) -> HemocastError:
    """The refusal of the series that came nearest to a plain head CT."""
    errors = [v.refusal for v in verdicts if v.refusal is not None]
    for kind in (ContrastGiven, BoneKernel):
        for error in errors:
            if isinstance(error, kind):
                return error
    short = [
        (len(v.series.images), v.refusal) for v in verdicts if isinstance(v.refusal, TooFewSlices)
    ]
    if short:
        return max(short, key=lambda pair: pair[0])[1]
    told = "; ".join(reasons[:12]) + (
        f"; and {len(reasons) - 12} more" if len(reasons) > 12 else ""
    )
    if all(isinstance(error, NoCT) for error in errors):
        return NoCT(
            f"There is no CT among the images ({told})",
            "CT images",
            "Export the plain head CT of the study",
        )
    return NoHeadSeries(
        f"No series can be used ({told})",
        "a plain axial series of the head",
        "Export that series of the study",
    )

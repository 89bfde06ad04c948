"""The series of one study -> the plain axial head series, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.dicom.series.exclusion import (
    Exclusion,
    axial_normal,
    coverage_mm,
    exclusion_of,
    heights,
    is_named_head,
    is_named_plain,
)
from hemocast.dicom.series.found import Refusal, Scan, Series
from hemocast.errors import BadGeometry, HemocastError, NoCT, NoHeadSeries, TooFewSlices
from hemocast.left_out import LeftOut, LeftOutCode


@dataclass(frozen=True)
class Assessment:
    """Whether one series is a plain axial head CT, and how good a one.

    Parameters
    ----------
    series : Series
        The series.
    exclusion : Exclusion or None
        Why it cannot be used.
    score : float
        Higher is better, for those that can.
    reasons : tuple of str
        What the score is made of.
    """

    series: Series
    exclusion: Exclusion | None
    score: float = 0.0
    reasons: tuple[str, ...] = ()

    def left_out(self, why: Exclusion) -> LeftOut:
        """Tell of the series that it was not used."""
        return LeftOut(
            why.code, len(self.series.images), self.series.first.series_number, why.detail
        )


def assess(series: Series) -> Assessment:
    """Say whether a series is a plain axial head CT, and how good a one.

    Header words decide, then the geometry. Pixels have the last word later, in other rooms.
    """
    exclusion = exclusion_of(series)
    if exclusion is not None:
        return Assessment(series, exclusion)
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
    return Assessment(series, None, score, tuple(words for _, words, holds in parts if holds))


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
    assessed = [assess(stack) for stack in stacks]
    usable = sorted((one for one in assessed if one.exclusion is None), key=_rank)
    excluded = tuple(one.left_out(one.exclusion) for one in assessed if one.exclusion is not None)
    first = stacks[0].first
    if not usable:
        error = _nearest([one.exclusion for one in assessed if one.exclusion], excluded)
        return Refusal(first.patient_key, first.study_uid, error, excluded)
    best, rest = usable[0], usable[1:]
    if any(_extends(one, best.series) for one in assessed if one is not best):
        error = BadGeometry(
            "One series changes its pixel size, orientation or reconstruction between slices, so "
            "that no part of it covers the head alone",
            "slices of one grid and orientation",
            "Export a reconstruction of the whole head in one piece",
        )
        return Refusal(first.patient_key, first.study_uid, error, excluded)
    number = best.series.first.series_number
    name = f"series {'without a number' if number is None else number}"
    preferred = f"{name}, for {', '.join(best.reasons) or 'lower series number'}"
    second_best = Exclusion(LeftOutCode.NOT_PREFERRED, preferred)
    left_out = tuple(one.left_out(second_best) for one in rest) + excluded
    return Scan(best.series, left_out, best.reasons)


def _rank(one: Assessment) -> tuple[float, int, str]:
    first = one.series.first
    return -one.score, first.series_number or 0, first.series_uid


def _extends(one: Assessment, best: Series) -> bool:
    """Tell whether two stacks of one series lie end to end, so that either alone is half a head."""
    if one.exclusion is not None and one.exclusion.code is not LeftOutCode.TOO_FEW_SLICES:
        return False
    if one.series.first.series_uid != best.first.series_uid:
        return False
    up = axial_normal(best)
    mine, theirs = heights(best, up), heights(one.series, up)
    return max(theirs) > max(mine) + 10.0 or min(theirs) < min(mine) - 10.0


def _nearest(exclusions: list[Exclusion], left_out: tuple[LeftOut, ...]) -> HemocastError:
    """The refusal of the series that came nearest to a plain head CT."""
    for code in (LeftOutCode.CONTRAST, LeftOutCode.BONE_KERNEL):
        for exclusion in exclusions:
            if exclusion.code is code:
                return exclusion.error
    short = [
        (line.images, exclusion)
        for line, exclusion in zip(left_out, exclusions, strict=True)
        if exclusion.code is LeftOutCode.TOO_FEW_SLICES
    ]
    if len(short) > 2 and all(images == 1 for images, _ in short):
        return TooFewSlices(
            f"There are {len(short)} series of one slice each, which do not fit together",
            "one series with all its slices",
            "Export the series again, with one series UID for all its slices",
        )
    if short:
        return max(short, key=lambda pair: pair[0])[1].error
    said = "; ".join(map(str, left_out[:12]))
    if len(left_out) > 12:
        said += f"; and {len(left_out) - 12} more"
    if all(exclusion.code is LeftOutCode.NOT_CT for exclusion in exclusions):
        return NoCT(
            f"There is no CT among the images ({said})",
            "CT images",
            "Export the plain head CT of the study",
        )
    return NoHeadSeries(
        f"No series can be used ({said})",
        "a plain axial series of the head",
        "Export that series of the study",
    )

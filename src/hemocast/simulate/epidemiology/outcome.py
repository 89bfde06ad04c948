"""What becomes of a patient: grade of the bleed, when it was seen, and what reviewers write of it.

All numbers here are ours. The larger the infarct, the higher the grade (as in ECASS cohorts, where
parenchymal hematoma goes with large infarcts); the amount of blood follows the grade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, SeedSequence

from hemocast.simulate.disease.bleed import Bleed, Grade

GRADES: tuple[Grade, ...] = ("HI1", "HI2", "PH1", "PH2")

GRADE_MIDDLES = (-0.5, 0.5, 1.5)
"""Log odds, at 25 mL, against at least HI2, PH1 and PH2: 38, 24, 20 and 18 % of the grades."""

GRADE_PER_DOUBLING = 0.25
"""Log odds of a higher grade that a doubling of the volume adds."""

BLOOD_SHARE: dict[Grade, tuple[float, float]] = {
    "HI1": (0.01, 0.04), "HI2": (0.04, 0.12), "PH1": (0.08, 0.27), "PH2": (0.33, 0.6),
}  # fmt: skip
"""Blood by the infarct's volume; a PH2 holds 30 % of it or more (Hacke 1995)."""

LARGEST_BLEED_ML = 90.0

REVIEWER_ERROR = 0.08
"""Chance that a reviewer, or one of the committee, gets a patient wrong."""


@dataclass(frozen=True)
class FollowUp:
    """Imaging after the scans from which HT is to be predicted.

    Parameters
    ----------
    detected_hours : float or None
        From onset to the scan that shows the bleed; None without HT.
    last_imaging_hours : float
        From onset to the last imaging at all.
    bleed : Bleed or None
        Grade and volume; None without HT.
    """

    detected_hours: float | None
    last_imaging_hours: float
    bleed: Bleed | None


@dataclass(frozen=True)
class Review:
    """What one reviewer, or a member of the committee, wrote of one patient.

    Parameters
    ----------
    reviewer_id : str
        ``reviewer-1``, ``reviewer-2``, ``committee-1`` ... ``committee-3``.
    role : str
        ``reviewer`` or ``committee``.
    grade : str
        ``none`` for no HT, or the grade.
    """

    reviewer_id: str
    role: str
    grade: str


def grade_chances(volume_ml: float) -> np.ndarray:
    """Return the chances of HI1, HI2, PH1 and PH2 with an infarct of a volume, given HT."""
    lean = GRADE_PER_DOUBLING * np.log2(volume_ml / 25)
    at_least = 1 / (1 + np.exp(np.array(GRADE_MIDDLES) - lean))
    return np.asarray(-np.diff(at_least, prepend=1.0, append=0.0))


def draw_follow_up(rng: Generator, label: int, volume_ml: float, last_scan: float) -> FollowUp:
    """Draw what later imaging shows.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    label : int
        1 HT, 0 none.
    volume_ml : float
        The infarct's.
    last_scan : float
        Hours from onset to the last scan before any bleed.
    """
    gap, more = rng.uniform(24.5, 72), rng.uniform(0, 72)
    grade = GRADES[int(rng.choice(4, p=grade_chances(volume_ml)))]
    blood = min(volume_ml * rng.uniform(*BLOOD_SHARE[grade]), LARGEST_BLEED_ML)
    later = round(last_scan + gap, 1)
    if not label:
        return FollowUp(None, later, None)
    # A PH2 of a large infarct that the limit leaves below 30 % would be a PH1.
    if grade == "PH2" and blood < 0.3 * volume_ml:
        grade = "PH1"
    return FollowUp(later, round(later + more, 1), Bleed(grade, float(blood)))


def draw_reviews(seed: SeedSequence, grade: Grade | None) -> tuple[Review, ...]:
    """Draw two reviewers, and a committee of three where they disagree.

    Two reviewers never make the same mistake, and at most one of the committee errs: agreement and
    majority give back the truth, so that the label engine can be checked exactly.

    Parameters
    ----------
    seed : SeedSequence
        Of this patient's reviews.
    grade : str or None
        The truth; None without HT.
    """
    rng = np.random.default_rng(seed)
    truth = grade or "none"
    wrong = [name for name in ("none", *GRADES) if name != truth]
    mistakes = rng.permutation(wrong)
    errs = rng.random(2) < REVIEWER_ERROR
    written = [str(mistakes[k]) if errs[k] else truth for k in range(2)]
    reviews = [Review(f"reviewer-{k + 1}", "reviewer", written[k]) for k in range(2)]
    if written[0] != written[1]:
        odd = int(rng.integers(3)) if rng.random() < 3 * REVIEWER_ERROR else None
        reviews += [
            Review(f"committee-{k + 1}", "committee", str(mistakes[2]) if k == odd else truth)
            for k in range(3)
        ]
    return tuple(reviews)

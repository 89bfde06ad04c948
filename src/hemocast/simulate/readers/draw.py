"""Simulated readers: raters of given sensitivity and specificity who agree as much as asked.

A reader's impression of a scan is a latent normal variable, higher for scans with the outcome:
the binormal model with correlated readers of Roe and Metz (1997, Acad Radiol 4:298-303,
10.1016/S1076-6332(97)80032-3), with the variance within a class set to 1 among scans without the
outcome::

    x = mean * label + sd * (score part + case part + reader x case part + noise)

The case part is shared by all readers, the score part also by the model (or true risk) whose
scores are given, the reader-by-case part by a reader's repeats. The reader says yes above a
threshold. Mean and threshold follow from the sensitivity and specificity asked for, so that these
hold in expectation whatever the correlations. Nobody has read these scans: SIMULATED.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from hemocast.dataset.layout import replacing
from hemocast.errors import UsageError
from hemocast.simulate.readers.specs import (
    PAPER_CORRELATION,
    PAPER_READERS,
    Correlation,
    ReaderSpec,
)
from hemocast.stats import Cases
from hemocast.stats.estimate import FloatArray

__all__ = [
    "PAPER_CORRELATION",
    "PAPER_READERS",
    "Arm",
    "Correlation",
    "ReaderSpec",
    "Reading",
    "simulate_readings",
    "write_readings",
]

Arm = Literal["unaided", "aided"]

STEP: Final = 0.05
"""Readers answer in steps of 5 %."""

START: Final = datetime(2025, 1, 6, 9, 0)
"""First reading of every simulated study, a Monday morning; ours."""

WASHOUT_DAYS: Final = 28
"""Between two readings of one scan by one reader; four weeks is usual in reader studies; ours."""

PER_DAY: Final = 60
"""Most scans read in a day; ours."""

_STREAM: Final = 20_260_114
"""Sets the readers' chance apart from all else drawn from the same seed: zeros at the end of a
`SeedSequence` do not count, so that ``[seed, 0]`` would be the stream of ``default_rng(seed)``."""


@dataclass(frozen=True)
class Reading:
    """One simulated reading: a row of ``readings.csv``.

    Parameters
    ----------
    reader_id, participant_id, scan_id : str
        Keys.
    probability : float
        Of HT as the reader states it, in steps of `STEP`.
    decision : int
        1 HT, 0 no HT.
    confidence : int
        In the decision, 1 (a guess) to 5 (certain).
    seconds : float
        Time taken.
    arm : str
        ``"unaided"`` or ``"aided"``.
    order : int
        Place among the reader's readings, from 1.
    repeat : int
        0 the first time, 1 the second.
    read_at : datetime
        When it was done.
    """

    reader_id: str
    participant_id: str
    scan_id: str
    probability: float
    decision: int
    confidence: int
    seconds: float
    arm: Arm
    order: int
    repeat: int
    read_at: datetime


def simulate_readings(
    participant_id: Sequence[str],
    scan_id: Sequence[str],
    label: ArrayLike,
    score: ArrayLike,
    readers: Sequence[ReaderSpec] = PAPER_READERS,
    *,
    correlation: Correlation = PAPER_CORRELATION,
    seed: int = 0,
    repeats: float = 0.0,
    arms: Sequence[Arm] = ("unaided",),
    model_probability: ArrayLike | None = None,
    model_threshold: float = 0.5,
) -> tuple[Reading, ...]:
    """Let simulated readers read scans.

    Parameters
    ----------
    participant_id, scan_id : sequence of str, length n
        Keys of the scans.
    label : array_like of 0/1, shape (n,)
        Outcomes.
    score : array_like, shape (n,)
        True risks, or a model's scores: what the readers share with them is `correlation.score`.
        Only their ranks within a class matter.
    readers : sequence of ReaderSpec
        Who reads.
    correlation : Correlation
        How alike they read.
    seed : int
        The only source of chance. What the others do does not change a reader's readings; the
        place in `readers` does.
    repeats : float
        Share of the scans that every reader reads again in every arm, 0 to 1.
    arms : sequence of str
        ``"unaided"``, ``"aided"`` or both; the order of two is drawn for every reader.
    model_probability : array_like of float in (0, 1), shape (n,), optional
        What the aided arm shows.
    model_threshold : float
        The model's, to which its probabilities are compared by readers.

    Returns
    -------
    tuple of Reading
        By reader, in the order of reading. Between two readings of one scan by one reader lie
        at least `WASHOUT_DAYS`.

    Raises
    ------
    UsageError
        Settings that do not fit together.
    StatisticsError
        Labels, scores or probabilities that cannot be used.
    """
    given = Cases(label, score)
    truth, n = given.truth, given.n
    _check_call(n, participant_id, scan_id, readers, arms, repeats, model_threshold)
    shown = np.zeros(n)
    if "aided" in arms:
        if model_probability is None:
            raise UsageError(
                "An aided arm was asked for without a model",
                "model_probability for the aided arm",
                "Give the model's probabilities, or leave the arm out",
            )
        probabilities = Cases(label, model_probability).probability()
        shown = logit(np.clip(probabilities, 0.001, 0.999)) - logit(model_threshold)
    common = _common_part(truth, given.score, correlation, seed)
    rows: list[Reading] = []
    for place, reader in enumerate(readers):
        rng = np.random.default_rng(SeedSequence([seed, _STREAM, 2, place]))
        own = common + math.sqrt(correlation.within - correlation.between) * rng.normal(size=n)
        clock = _Clock(START)
        for block, (arm, repeat) in enumerate(_blocks(rng, arms, repeats)):
            order = rng.permutation(n)
            if repeat:
                order = order[: max(1, round(repeats * n))]
            if block:
                clock.wash_out()
            noise = math.sqrt(1 - correlation.within) * rng.normal(size=n)
            beyond = reader.mean * truth + np.where(truth, reader.spread, 1.0) * (own + noise)
            log_odds = reader.boldness * (beyond - reader.threshold)
            if arm == "aided":
                log_odds = (1 - reader.trust) * log_odds + reader.trust * shown
            seconds = np.maximum(reader.seconds * np.exp(0.5 * rng.normal(size=n)), 5.0)
            for i in order:
                answer = _answer(float(log_odds[i]))
                taken = round(float(seconds[i]), 1)
                rows.append(
                    Reading(reader.name, participant_id[i], scan_id[i], *answer, taken, arm,
                            clock.count + 1, repeat, clock.tick(taken))
                )  # fmt: skip
    return tuple(rows)


def write_readings(path: Path, readings: Sequence[Reading]) -> None:
    """Write ``readings.csv``; a last column, ``simulated``, is 1 in every row."""
    columns = [field.name for field in fields(Reading)]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, "simulated"])
        for reading in readings:
            cells = [getattr(reading, name) for name in columns[:-1]]
            writer.writerow([*cells, reading.read_at.isoformat(timespec="seconds"), 1])


def _check_call(
    n: int,
    participants: Sequence[str],
    scans: Sequence[str],
    readers: Sequence[ReaderSpec],
    arms: Sequence[str],
    repeats: float,
    threshold: float,
) -> None:
    names = [reader.name for reader in readers]
    faults = (
        (len(participants) != n or len(scans) != n, "a participant and a scan for every label"),
        (len(set(scans)) != len(scans), "every scan once"),
        (not names or len(set(names)) != len(names), "readers of different names"),
        (not arms or len(set(arms)) != len(arms) or not set(arms) <= {"unaided", "aided"},
         "arms unaided, aided or both"),
        (not 0 <= repeats <= 1, "repeats from 0 to 1"),
        (not 0 < threshold < 1, "a threshold between 0 and 1"),
    )  # fmt: skip
    wrong = [words for fault, words in faults if fault]
    if wrong:
        raise UsageError(
            f"{len(wrong)} of the readings' settings do not fit together",
            "; ".join(wrong),
            "Correct the call",
        )


def _common_part(
    truth: NDArray[np.bool_], score: FloatArray, correlation: Correlation, seed: int
) -> FloatArray:
    """Draw what all readers share of every scan; variance `correlation.between` in each class."""
    ranked = np.zeros(truth.size)
    for one in (True, False):
        inside = truth == one
        if inside.any():
            # Normal scores: whatever the scores' distribution, the impressions stay normal.
            ranks = rankdata(score[inside], method="average")
            scores = norm.ppf((ranks - 0.5) / inside.sum())
            sd = scores.std()
            ranked[inside] = scores / sd if sd > 0 else 0.0
    rng = np.random.default_rng(SeedSequence([seed, _STREAM, 1]))
    free = rng.normal(size=truth.size)
    return np.asarray(
        math.sqrt(correlation.score) * ranked
        + math.sqrt(correlation.between - correlation.score) * free
    )


def _blocks(rng: Generator, arms: Sequence[Arm], repeats: float) -> list[tuple[Arm, int]]:
    """Arms in the reader's own order, all first readings before all second ones."""
    order = [arms[k] for k in rng.permutation(len(arms))]
    return [(arm, repeat) for repeat in range(2 if repeats > 0 else 1) for arm in order]


def _answer(log_odds: float) -> tuple[float, int, int]:
    """Turn log odds into the probability stated, the decision and the confidence in it."""
    exact = float(expit(log_odds))
    probability = round(round(exact / STEP) * STEP, 4)
    confidence = min(5, 1 + int(10 * abs(exact - 0.5)))
    return probability, int(log_odds >= 0), confidence


class _Clock:
    """A reader's working days: the time goes on reading by reading, and stops in the evening."""

    def __init__(self, start: datetime) -> None:
        self.count = 0
        self._now = start
        self._today = 0

    def tick(self, seconds: float) -> datetime:
        """Spend the time of a reading; return when it ended, to the second."""
        if self._today == PER_DAY:
            self._next_day(1)
        self._now += timedelta(seconds=seconds)
        self._today += 1
        self.count += 1
        return self._now.replace(microsecond=0)

    def wash_out(self) -> None:
        """Go on after the washout, which is counted from the last reading."""
        self._next_day(WASHOUT_DAYS + 1)

    def _next_day(self, days: int) -> None:
        day = self._now.date() + timedelta(days=days)
        while day.weekday() > 4:
            day += timedelta(days=1)
        self._now = datetime.combine(day, START.time())
        self._today = 0

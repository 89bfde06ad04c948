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

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator, SeedSequence
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from hemocast.errors import UsageError
from hemocast.files import write_table
from hemocast.simulate.readers.specs import (
    Arm,
    Correlation,
    ModelAid,
    ReaderSpec,
    ReadingPlan,
    ScansToRead,
)
from hemocast.stats import Cases
from hemocast.stats.estimate import Float64Array

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
    scans: ScansToRead,
    plan: ReadingPlan | None = None,
    *,
    aid: ModelAid | None = None,
    seed: int = 0,
) -> tuple[Reading, ...]:
    """Let simulated readers read scans.

    Parameters
    ----------
    scans : ScansToRead
        Which, with their outcomes and the scores that the readers share something with.
    plan : ReadingPlan, optional
        Who reads, how alike, how often, in which arms.
    aid : ModelAid, optional
        What the aided arm shows.
    seed : int
        The only source of chance. What the others do does not change a reader's readings; the
        place in `ReadingPlan.readers` does.

    Returns
    -------
    tuple of Reading
        By reader, in the order of reading. Between two readings of one scan by one reader lie
        at least `WASHOUT_DAYS`.

    Raises
    ------
    UsageError
        An aided arm without a model.
    StatisticsError
        Probabilities that cannot be used.
    """
    plan = plan or ReadingPlan()
    shown = np.zeros(scans.cases.n)
    if "aided" in plan.arms:
        if aid is None:
            raise UsageError(
                "An aided arm was asked for without a model",
                "what the model says, for the aided arm",
                "Give the model's probabilities, or leave the arm out",
            )
        probabilities = Cases(scans.cases.truth, aid.probability).probability()
        shown = logit(np.clip(probabilities, 0.001, 0.999)) - logit(aid.threshold)
    common = _common_part(scans, plan.correlation, seed)
    streams = (SeedSequence([seed, _STREAM, 2, place]) for place in range(len(plan.readers)))
    return tuple(
        reading
        for reader, stream in zip(plan.readers, streams, strict=True)
        for reading in _read(reader, scans, plan, common, shown, np.random.default_rng(stream))
    )


def _read(
    reader: ReaderSpec,
    scans: ScansToRead,
    plan: ReadingPlan,
    common: Float64Array,
    shown: Float64Array,
    rng: Generator,
) -> Iterator[Reading]:
    """Yield one reader's readings; `shown` holds the model's log odds beyond its threshold."""
    n, truth, alike = scans.cases.n, scans.cases.truth, plan.correlation
    own = common + math.sqrt(alike.within - alike.between) * rng.normal(size=n)
    clock = _Clock(START)
    for block, (arm, repeat) in enumerate(_blocks(rng, plan)):
        order = rng.permutation(n)
        if repeat:
            order = order[: max(1, round(plan.repeats * n))]
        if block:
            clock.wash_out()
        noise = math.sqrt(1 - alike.within) * rng.normal(size=n)
        spread = np.where(truth, reader.spread, 1.0)
        beyond = reader.mean * truth + spread * (own + noise)
        log_odds = reader.boldness * (beyond - reader.threshold)
        if arm == "aided":
            log_odds = (1 - reader.trust) * log_odds + reader.trust * shown
        seconds = np.maximum(reader.seconds * np.exp(0.5 * rng.normal(size=n)), 5.0)
        for i in order:
            answer, taken = _answer(float(log_odds[i])), round(float(seconds[i]), 1)
            yield Reading(
                reader.name, scans.participant_id[i], scans.scan_id[i], *answer, taken, arm,
                clock.count + 1, repeat, clock.tick(taken),
            )  # fmt: skip


def write_readings(path: Path, readings: Sequence[Reading]) -> None:
    """Write ``readings.csv``; a last column, ``simulated``, is 1 in every row."""
    rows = (
        {name: str(value) if isinstance(value, float) else value for name, value in cells.items()}
        | {"read_at": cells["read_at"].isoformat(timespec="seconds"), "simulated": 1}
        for cells in map(vars, readings)
    )
    write_table(path, rows, [*(field.name for field in fields(Reading)), "simulated"])


def _common_part(scans: ScansToRead, correlation: Correlation, seed: int) -> Float64Array:
    """Draw what all readers share of every scan; variance `correlation.between` in each class."""
    truth, score = scans.cases.truth, scans.cases.score
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


def _blocks(rng: Generator, plan: ReadingPlan) -> list[tuple[Arm, int]]:
    """Arms in the reader's own order, all first readings before all second ones."""
    order = [plan.arms[k] for k in rng.permutation(len(plan.arms))]
    return [(arm, repeat) for repeat in range(2 if plan.repeats > 0 else 1) for arm in order]


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

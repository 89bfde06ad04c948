"""Where a reader stands: what may be opened and answered now, and what not yet or no longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from hemocast.readers.store.answers import Store, Trace
from hemocast.readers.study.design import Arm, PlannedReading, StudyDesign

Phase = Literal["reading", "washout", "finished"]

CORRECTION = timedelta(days=1)
"""How long after its last answer the first arm may still be seen and corrected where a washout
follows: whoever could look at it until the second arm opens would not be washed out; ours."""


@dataclass(frozen=True)
class ReaderProgress:
    """How far a reader has come in the study.

    Parameters
    ----------
    phase : str
        ``"reading"``; ``"washout"``: the second arm is not open yet; ``"finished"``.
    arm : str
        The arm being read; in the washout the one to come.
    part, parts : int
        Its number for this reader, from 1, and how many there are.
    done, total : int
        Readings submitted in this arm, and all of it.
    current : PlannedReading or None
        The next to be answered; None unless reading.
    open : tuple of PlannedReading
        All that may be seen and answered now, in order: submitted ones (as corrections) and the
        current one. Those of the first arm close with the first answer of the second; where a
        washout follows, `CORRECTION` after the last answer of the first.
    opens_at : datetime or None
        End of the washout, UTC.
    """

    phase: Phase
    arm: Arm
    part: int
    parts: int
    done: int
    total: int
    current: PlannedReading | None
    open: tuple[PlannedReading, ...]
    opens_at: datetime | None = None


@dataclass(frozen=True)
class _Course:
    """What a reader has answered up to a row: the time of each reading's last submission."""

    row: int = 0
    submitted: Mapping[tuple[str, int], datetime] = field(default_factory=dict)
    started: frozenset[str] = frozenset()

    def after(self, traces: Sequence[Trace]) -> _Course:
        if not traces:
            return self
        finals = {trace.place: trace.read_at for trace in traces if trace.final}
        arms = {trace.place[0] for trace in traces}
        return _Course(traces[-1].row, {**self.submitted, **finals}, self.started | arms)


class Standings:
    """Where every reader stands, from the answers alone.

    Answers are only added: each is read from the store once, each reading list drawn once.

    Parameters
    ----------
    design : StudyDesign
    store : Store
    """

    def __init__(self, design: StudyDesign, store: Store) -> None:
        self._design = design
        self._store = store
        self._courses: dict[str, _Course] = {}
        self.readings = cache(design.reading_list)
        self._arms = cache(design.arm_order)

    def of(self, reader_id: str, now: datetime) -> ReaderProgress:
        """Find a reader's progress.

        Parameters
        ----------
        reader_id : str
        now : datetime
            With time zone; decides whether the washout is over.
        """
        course = self._courses.get(reader_id, _Course())
        course = course.after(self._store.traces(reader_id, course.row))
        self._courses[reader_id] = course  # of two at once the older may stay: it is read on again
        readings, arms = self.readings(reader_id), self._arms(reader_id)
        done = [reading for reading in readings if reading.place in course.submitted]
        left = [reading for reading in readings if reading.place not in course.submitted]
        arm = left[0].arm if left else arms[-1]
        before = arms[: arms.index(arm)]
        started = arm in course.started
        opens_at = _end_of_washout(self._design, before, course)
        shut = started or _may_no_longer_be_corrected(self._design, opens_at, now)
        closed = before if shut else before[:-1]
        phase: Phase = "reading" if left else "finished"
        if opens_at is not None and now < opens_at and not started:
            phase = "washout"
        current = left[0] if phase == "reading" else None
        correctable = tuple(reading for reading in done if reading.arm not in closed)
        return ReaderProgress(
            phase=phase,
            arm=arm,
            part=len(before) + 1,
            parts=len(arms),
            done=sum(reading.arm == arm for reading in done),
            total=sum(reading.arm == arm for reading in readings),
            current=current,
            open=(*correctable, current) if current else correctable,
            opens_at=opens_at if phase == "washout" else None,
        )


def _end_of_washout(
    design: StudyDesign, before: tuple[Arm, ...], course: _Course
) -> datetime | None:
    """The washout runs from the last answer of the earlier arm, corrections included."""
    times = [read_at for (arm, _), read_at in course.submitted.items() if arm in before]
    return max(times) + timedelta(days=design.washout_days) if times else None


def _may_no_longer_be_corrected(
    design: StudyDesign, opens_at: datetime | None, now: datetime
) -> bool:
    if opens_at is None or not design.washout_days:
        return False
    return now >= min(opens_at, opens_at - timedelta(days=design.washout_days) + CORRECTION)

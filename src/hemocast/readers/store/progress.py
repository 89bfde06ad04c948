"""Where a reader stands: what may be opened and answered now, and what not yet or no longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from hemocast.readers.store.answers import Store, StoredAnswer
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


def progress_of(design: StudyDesign, store: Store, reader_id: str, now: datetime) -> ReaderProgress:
    """Find a reader's progress from the submitted answers alone.

    Parameters
    ----------
    design : StudyDesign
    store : Store
    reader_id : str
    now : datetime
        With time zone; decides whether the washout is over.
    """
    readings = design.reading_list(reader_id)
    finals = store.answers(reader_id, final=True)
    submitted = {stored.reading.place for stored in finals}
    done = [reading for reading in readings if reading.place in submitted]
    left = [reading for reading in readings if reading.place not in submitted]
    arms = design.arm_order(reader_id)
    arm = left[0].arm if left else arms[-1]
    before = arms[: arms.index(arm)]
    started = arm in store.started_arms(reader_id)
    opens_at = _end_of_washout(design, before, finals)
    shut = started or _may_no_longer_be_corrected(design, opens_at, now)
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
    design: StudyDesign, before: tuple[Arm, ...], finals: list[StoredAnswer]
) -> datetime | None:
    """The washout runs from the last answer of the earlier arm, corrections included."""
    times = [stored.read_at for stored in finals if stored.reading.arm in before]
    return max(times) + timedelta(days=design.washout_days) if times else None


def _may_no_longer_be_corrected(
    design: StudyDesign, opens_at: datetime | None, now: datetime
) -> bool:
    if opens_at is None or not design.washout_days:
        return False
    return now >= min(opens_at, opens_at - timedelta(days=design.washout_days) + CORRECTION)

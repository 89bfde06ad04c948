"""Where a reader stands: what may be opened and answered now, and what not yet or no longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from hemocast.readers.store.answers import Kept, Store
from hemocast.readers.study.design import Arm, Presentation, StudyDesign

Phase = Literal["reading", "washout", "finished"]

CORRECTION = timedelta(days=1)
"""How long after its last answer the first arm may still be seen and corrected where a washout
follows: whoever could look at it until the second arm opens would not be washed out; ours."""


@dataclass(frozen=True)
class Position:
    """A reader's place in the study.

    Parameters
    ----------
    phase : str
        ``"reading"``; ``"washout"``: the second arm is not open yet; ``"finished"``.
    arm : str
        The arm being read; in the washout the one to come.
    part, parts : int
        Its number for this reader, from 1, and how many there are.
    done, total : int
        Presentations submitted in this arm, and all of it.
    current : Presentation or None
        The next to be answered; None unless reading.
    open : tuple of Presentation
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
    current: Presentation | None
    open: tuple[Presentation, ...]
    opens_at: datetime | None = None


def position(design: StudyDesign, store: Store, reader_id: str, now: datetime) -> Position:
    """Find a reader's place from the submitted answers alone.

    Parameters
    ----------
    design : StudyDesign
    store : Store
    reader_id : str
    now : datetime
        With time zone; decides whether the washout is over.
    """
    shown = design.presentations(reader_id)
    finals = {kept.place: kept for kept in store.answers(reader_id, final=True)}
    arms = design.arm_order(reader_id)
    left = [p for p in shown if (p.arm, p.order) not in finals]
    arm = left[0].arm if left else arms[-1]
    number = arms.index(arm)
    started = arm in store.started_arms(reader_id)
    opens_at = _end_of_washout(design, arms[:number], list(finals.values()))
    over = opens_at is not None and now >= min(
        opens_at, opens_at - timedelta(days=design.washout_days) + CORRECTION
    )
    shut = started or (design.washout_days > 0 and over)
    closed = arms[:number] if shut else arms[: max(0, number - 1)]
    done = [p for p in shown if (p.arm, p.order) in finals]
    correctable = tuple(p for p in done if p.arm not in closed)
    phase: Phase = "reading" if left else "finished"
    if opens_at is not None and now < opens_at and not started:
        phase = "washout"
    current = left[0] if phase == "reading" else None
    return Position(
        phase=phase,
        arm=arm,
        part=number + 1,
        parts=len(arms),
        done=sum(p.arm == arm for p in done),
        total=sum(p.arm == arm for p in shown),
        current=current,
        open=(*correctable, current) if current else correctable,
        opens_at=opens_at if phase == "washout" else None,
    )


def _end_of_washout(
    design: StudyDesign, before: tuple[Arm, ...], finals: list[Kept]
) -> datetime | None:
    """The washout runs from the last answer of the earlier arm, corrections included."""
    times = [kept.read_at for kept in finals if kept.arm in before]
    return max(times) + timedelta(days=design.washout_days) if times else None

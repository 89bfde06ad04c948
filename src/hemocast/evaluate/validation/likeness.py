"""Whether the scans of a new place are like those that the model learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

from hemocast.errors import StatisticsError
from hemocast.evaluate.inputs.history import read_reference
from hemocast.evaluate.monitor.drift import PROBABILITY, Compared, compare, sample_of_table
from hemocast.evaluate.monitor.run import LEAST_REFERENCE
from hemocast.model.gate import ALARMS
from hemocast.stats import Interval, wilson

LEVEL = 0.05


@dataclass(frozen=True)
class Doubted:
    """How many scans the model's gate called unlike those that it learned from.

    Parameters
    ----------
    n, n_doubted : int
        Scans predicted, and doubted among them.
    limits : Interval
        Of the share, Wilson's.
    p : float
        Chance of so many or more, if scans were like the training scans, of which the gate doubts
        `hemocast.model.gate.ALARMS`.
    """

    n: int
    n_doubted: int
    limits: Interval
    p: float

    @property
    def drifted(self) -> bool:
        """Whether these are more than chance explains."""
        return self.p < LEVEL


def count_doubted(n: int, n_doubted: int) -> Doubted | None:
    """Test the number of doubted scans; None of no scan."""
    if not n:
        return None
    p = float(binomtest(n_doubted, n, ALARMS, alternative="greater").pvalue)
    return Doubted(n, n_doubted, wilson(n_doubted, n), p)


def compare_tables(reference: Path, scans: Path) -> tuple[Compared, ...]:
    """Compare the columns of two tables, of every patient the first scan.

    Parameters
    ----------
    reference, scans : Path
        As `hemocast.evaluate.inputs.history.read_reference` reads them: a probability, and any
        columns of numbers; those that both have are compared.

    Returns
    -------
    tuple of Compared
        p values adjusted after Holm over all columns; the level is 5 %.

    Raises
    ------
    NothingThere, TableError
        A table is missing or bad.
    StatisticsError
        The reference holds fewer than 30 results.
    """
    before, now = (sample_of_table(read_reference(path)) for path in (reference, scans))
    known = next(len(one.values) for one in before if one.name == PROBABILITY)
    if known < LEAST_REFERENCE:
        raise StatisticsError(
            f"The reference holds {known} scans with a result, one a patient",
            f"{LEAST_REFERENCE} or more",
            "Take the predictions of a larger test part",
        )
    return compare(before, now, LEVEL)

"""Scans that no model can be judged on, with the reason; and when patients bled or died."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.tables.columns import Fault, rows_of
from hemocast.dataset.tables.schema import LABELS, OUTCOME_STATUS
from hemocast.stats.estimate import Float64Array, IntArray
from hemocast.stats.incidence import CENSORED, COMPETING, EVENT
from hemocast.tables import MISSING

if TYPE_CHECKING:
    import pandas as pd

STATUS = "outcome_status"
UNSEEN = OUTCOME_STATUS[1:]
"""Why an outcome was never observed."""
DEATH = "death"

_TIMES = ("ht_detected_hours", "last_imaging_hours", "death_hours")
FOLLOW_UP = tuple(column for column in LABELS.columns if column.name in (STATUS, *_TIMES))
"""Columns of a table of labels that say what became of a patient, and when."""

REFUSED, UNOBSERVED = "refused", "outcome not observed"


@dataclass(frozen=True)
class LeftOutScans:
    """Scans that one model cannot be judged on.

    Parameters
    ----------
    model : str
        Its name.
    kind : {"refused", "outcome not observed"}
        What is missing.
    reason : ndarray of object (str), shape (k,)
        The code of the refusal, or one of `UNSEEN`.
    participant : ndarray of object (str), shape (k,)
        A name of its own for each refused scan whose participant is not known.
    truth : ndarray of float64, shape (k,)
        The outcome; NaN where it is not known.
    score : ndarray of float64, shape (k,)
        The probability; NaN where it was refused.
    rows : ndarray of int64, shape (k,)
        Which scan of the table each is, those without an observed outcome coming last; -1 where
        refused.
    """

    model: str
    kind: str
    reason: NDArray[np.object_]
    participant: NDArray[np.object_]
    truth: Float64Array
    score: Float64Array
    rows: IntArray


@dataclass(frozen=True)
class FollowUp:
    """How long patients were followed, and how it ended.

    Parameters
    ----------
    hours : ndarray of float64, shape (k,)
        After onset.
    kind : ndarray of int64, shape (k,)
        As `hemocast.stats.incidence.cumulative_incidence` takes them.
    n_unknown : int
        Patients left out, since the time is not known.
    """

    hours: Float64Array
    kind: IntArray
    n_unknown: int


@dataclass(frozen=True)
class Outcomes:
    """A table of predictions, as text and parsed, with two masks of its rows."""

    text: pd.DataFrame
    table: pd.DataFrame
    refused: pd.Series
    unseen: pd.Series

    @property
    def judged(self) -> pd.DataFrame:
        """Rows with a prediction and an observed outcome."""
        return self.table[~self.refused & ~self.unseen]

    @property
    def waiting(self) -> pd.DataFrame:
        """Rows with a prediction whose outcome was never observed."""
        return self.table[self.unseen]


def never_observed(
    text: pd.DataFrame, refused: pd.Series, table: str
) -> tuple[pd.Series, list[Fault]]:
    """Find the rows with a prediction whose outcome was never observed.

    Parameters
    ----------
    text : DataFrame of str
        Predictions, labels joined.
    refused : Series of bool
        Rows without a prediction.
    table : str
        What the predictions are called in messages.

    Returns
    -------
    unseen : Series of bool
    faults : list of Fault
        A label where the outcome was not observed.
    """
    if STATUS not in text.columns:
        return refused & False, []
    unseen = text[STATUS].str.strip().isin(UNSEEN) & ~refused
    if "label" not in text.columns:
        return unseen & False, []
    bad = unseen & ~text["label"].str.strip().isin(["", MISSING])
    why = "no label where the outcome was not observed"
    return unseen, [Fault(table, "label", rows_of(bad), why)] if bad.any() else []


def left_out_scans(
    outcomes: Outcomes, n_observed: int, unseen_scans: pd.Index
) -> tuple[LeftOutScans, ...]:
    """Collect, by model, the scans that were refused and those whose outcome was not observed.

    Parameters
    ----------
    outcomes : Outcomes
        The table.
    n_observed : int
        Scans with an observed outcome, which come first in the table's groupings.
    unseen_scans : Index of str
        The others, which follow.
    """
    import pandas as pd

    text, table = outcomes.text, outcomes.table
    missing = pd.Series("", index=text.index)
    code = text.get("code", missing).str.strip()
    codes = code.where(~code.isin(["", MISSING]), text.get("status", missing).str.strip())
    person = text["participant_id"].str.strip()
    person = person.where(~person.isin(["", MISSING]), table["participant_id"])
    known = pd.to_numeric(text["label"].str.strip(), errors="coerce")
    found = []
    for kind, chosen, reason in (
        (REFUSED, outcomes.refused, codes),
        (UNOBSERVED, outcomes.unseen, text.get(STATUS, missing).str.strip()),
    ):
        for model, rows in table[chosen].groupby("model", sort=False):
            place = n_observed + unseen_scans.get_indexer(pd.Index(rows["scan_id"]))
            refused, at = kind == REFUSED, rows.index
            nothing = np.full(len(rows), np.nan)
            found.append(
                LeftOutScans(
                    model=str(model),
                    kind=kind,
                    reason=reason[at].to_numpy(dtype=object),
                    participant=person[at].to_numpy(dtype=object),
                    truth=known[at].to_numpy(dtype=np.float64) if refused else nothing,
                    score=nothing if refused else rows["probability"].to_numpy(dtype=np.float64),
                    rows=np.full(len(rows), -1) if refused else place.astype(np.int64),
                )
            )
    return tuple(found)


def follow_up(outcomes: Outcomes) -> FollowUp | None:
    """Read when each patient's follow-up ended: at HT, at death without it, or at the last scan.

    Parameters
    ----------
    outcomes : Outcomes
        The table; of the rows with a prediction the first of each participant counts.

    Returns
    -------
    FollowUp or None
        None where the table knows no time of a death.
    """
    table = outcomes.table[~outcomes.refused]
    if not table["death_hours"].notna().any():
        return None
    own = table[~table["participant_id"].duplicated()]
    waiting = outcomes.unseen[own.index].to_numpy(dtype=bool)
    event = own["label"].to_numpy(dtype=bool) & ~waiting
    seen, last, death = (own[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in _TIMES)
    died = ~event & ~np.isnan(death)
    hours = np.where(event, seen, np.where(died, death, last))
    kind = np.where(event, EVENT, np.where(died, COMPETING, CENSORED)).astype(np.int64)
    # Of a death at an hour that is not known, the last scan is no end of follow-up.
    hours[~died & (own[STATUS] == DEATH).to_numpy(dtype=bool)] = np.nan
    known = ~np.isnan(hours)
    return FollowUp(hours[known], kind[known], int((~known).sum()))

"""Was the hemorrhage symptomatic? Five published definitions, from grade, NIHSS series and times.

The definitions differ, and so do their rates in one cohort (NINDS 7.3, ECASS II 5.3, SITS-MOST
3.5 % of 548 thrombolysed patients, PMC3941257): a result must say which it used.

Clock
    Hours run from thrombolysis; without it from thrombectomy; without either from onset. The
    definitions were written for treated patients; the last step is this project's. Of a treatment
    whose hour is not known the clock is not known, and so is whatever depends on it.
Deterioration
    The NIHSS series is ``nihss.tsv``, with ``nihss`` of ``clinical.tsv`` (on admission) as its
    first value, at the time of the first scan. NINDS and ECASS compare each value with the lowest
    before it. Between its values the series is taken as silent: nothing happened that it lacks.
Not known
    Each answer is True, False or missing. It is missing where it depends on something that is not
    known, and False or True where it does not (a patient without hemorrhage has none that is
    symptomatic, whatever the NIHSS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from hemocast.dataset.tables.schema import NIHSS_ITEMS

if TYPE_CHECKING:
    import pandas as pd

DEFINITIONS = ("ninds", "ecass_ii", "ecass_iii", "sits_most", "heidelberg")
NINDS_HOURS = 36.0
ECASS_HOURS = 7 * 24.0
SITS_HOURS = 36.0
SITS_LOWEST_HOURS = 24.0
HEIDELBERG_HOURS = 48.0
TOTAL_RISE = 4  # NIHSS points
ITEM_RISE = 2


class Course(Protocol):
    """Tables that tell how patients fared; those of a dataset do."""

    @property
    def labels(self) -> pd.DataFrame:
        """One row per participant: label, grade, class, times, intervention, cause."""

    @property
    def clinical(self) -> pd.DataFrame:
        """One row per participant: NIHSS on admission, treatments and their times."""

    @property
    def nihss(self) -> pd.DataFrame:
        """One row per examination."""


def symptomatic(tables: Course, *, deaths_recorded: bool = True) -> pd.DataFrame:
    """Apply all definitions.

    Parameters
    ----------
    tables : Course
        Uses ``labels`` (label, grade, class, times, intervention, cause), ``clinical`` (admission
        NIHSS, treatment times) and ``nihss``.
    deaths_recorded : bool
        Who has no hour of death did not die; else nobody knows.

    Returns
    -------
    DataFrame
        ``participant_id`` and one boolean column (with missing values) per definition:

        ``ninds``
            Any new hemorrhage within 36 h with any neurological decline (here: NIHSS up by 1 or
            more, or death) within 36 h. Wording unconfirmed; the original also counts a hemorrhage
            that was merely suspected, which no table can hold.
        ``ecass_ii``
            Any hemorrhage within 7 days and NIHSS up by 4 or more from baseline or the lowest
            value, or death, within 7 days (Hacke 1998, 10.1016/S0140-6736(98)08020-9). One source
            prints "> 4"; ">= 4" is the usual wording and unconfirmed.
        ``ecass_iii``
            As ECASS II, and the hemorrhage judged the predominant cause of the deterioration
            (``ht_is_main_cause``). Wording unconfirmed (Hacke 2008, 10.1056/NEJMoa0804656).
        ``sits_most``
            PH2, local or remote, and NIHSS up by 4 or more or death (Mazya 2012,
            10.1161/STROKEAHA.111.644815). Unconfirmed: the scan at 22-36 h (here: seen by 36 h,
            since an earlier scan for deterioration counts), the comparison with the lowest value
            of the first 24 h, and death within 7 days (no source gives its horizon). Class 3a
            (remote parenchymal) does not say the size: missing unless the grade is PH2.
        ``heidelberg``
            New hemorrhage on imaging within 48 h, with NIHSS up by 4 or more or 2 or more in one
            item from immediately before the deterioration, or a major intervention, and no better
            explanation (``ht_is_main_cause``) (von Kummer 2015, 10.1161/STROKEAHA.115.010049).
            Unconfirmed: that the last condition is always required.
    """
    import pandas as pd

    labels = tables.labels.set_index("participant_id")
    clock = _clock(tables, labels.index)
    seen = labels["ht_detected_hours"] - clock
    alive = False if deaths_recorded else None
    death = labels["death_hours"]
    died, died_early = (
        _within(death - clock, hours).mask(death.isna(), alive)
        for hours in (ECASS_HOURS, NINDS_HOURS)
    )
    series = _series(tables, clock)
    rise = {
        name: _rise(series, hours, labels.index)
        for name, hours in (("ninds", NINDS_HOURS), ("ecass", ECASS_HOURS))
    }
    any_ht = labels["label"]
    ecass_ii = any_ht & _within(seen, ECASS_HOURS) & (_at_least(rise["ecass"], TOTAL_RISE) | died)
    cause = labels["ht_is_main_cause"]
    declined = _at_least(rise["ninds"], 1) | died_early
    sits_rise = _rise(series, SITS_HOURS, labels.index, lowest_until=SITS_LOWEST_HOURS)
    answers = {
        "ninds": any_ht & _within(seen, NINDS_HOURS) & declined,
        "ecass_ii": ecass_ii,
        "ecass_iii": ecass_ii & cause,
        "sits_most": any_ht
        & _is_ph2(labels)
        & _within(seen, SITS_HOURS)
        & (_at_least(sits_rise, TOTAL_RISE) | died),
        "heidelberg": any_ht
        & _within(seen, HEIDELBERG_HOURS)
        & (_heidelberg_worse(series, labels.index) | labels["major_intervention"])
        & cause,
    }
    return pd.DataFrame(answers, index=labels.index).astype("boolean").reset_index()


def _clock(tables: Course, people: pd.Index) -> pd.Series:
    """Hours after onset at which each participant's clock starts; missing: not known."""
    clinical = tables.clinical.set_index("participant_id").reindex(people)
    named = clinical["treatment"].fillna("")
    lysis, ectomy = clinical["thrombolytic_hours"], clinical["thrombectomy_hours"]
    later = ectomy.mask(ectomy.isna() & ~named.str.contains("thrombectomy"), 0.0)
    return lysis.mask(lysis.isna() & ~named.str.contains("thrombolytic"), later)


def _series(tables: Course, clock: pd.Series) -> pd.DataFrame:
    """Every NIHSS value on the clock, admission first: ``participant_id, hours, nihss, item_*``."""
    import pandas as pd

    clinical = tables.clinical
    admission = clinical.loc[clinical["nihss"].notna(), ["participant_id", "nihss"]].copy()
    arrived = clinical.set_index("participant_id")["onset_to_first_scan_hours"]
    admission["hours"] = admission["participant_id"].map(arrived).fillna(0.0)
    later = tables.nihss
    # Admission is never after the first examination of the series.
    first = later.groupby("participant_id")["hours"].min()
    admission["hours"] = np.fmin(admission["hours"], admission["participant_id"].map(first))
    both = pd.concat([admission, later], ignore_index=True)
    both["order"] = np.arange(len(both))
    both = both.sort_values(["participant_id", "hours", "order"], ignore_index=True)
    both["hours"] -= both["participant_id"].map(clock)
    values = ["nihss", *(f"item_{item}" for item in NIHSS_ITEMS)]
    both[values] = both[values].astype("float64")
    return both[["participant_id", "hours", *values]]


def _rise(
    series: pd.DataFrame, hours: float, people: pd.Index, lowest_until: float = np.inf
) -> pd.Series:
    """Largest NIHSS rise over the lowest value before it, up to `hours` on the clock.

    Parameters
    ----------
    lowest_until : float
        Values after this hour do not count as a lowest one.

    Returns
    -------
    Series of float
        Per participant; missing with fewer than two values in time.
    """
    rows = series[series["hours"] <= hours]
    eligible = rows["nihss"].where(rows["hours"] <= lowest_until)
    lowest = eligible.groupby(rows["participant_id"]).cummin()
    lowest = lowest.groupby(rows["participant_id"]).ffill()
    before = lowest.groupby(rows["participant_id"]).shift()
    return (rows["nihss"] - before).groupby(rows["participant_id"]).max().reindex(people)


def _heidelberg_worse(series: pd.DataFrame, people: pd.Index) -> pd.Series:
    """NIHSS up by 4, or an item by 2, from immediately before a deterioration, within 48 h."""
    rows = series[series["hours"] <= HEIDELBERG_HOURS]
    person = rows["participant_id"]
    items = [f"item_{item}" for item in NIHSS_ITEMS]
    rise = _run_up(rows["nihss"], person).reindex(people)
    worse = rise >= TOTAL_RISE
    for item in items:
        if rows[item].notna().any():
            worse |= _run_up(rows[item], person).reindex(people) >= ITEM_RISE
    # Without items, a total up by 2 or 3 may or may not hide an item up by 2; a total up by less is
    # taken as none (an item could rise while another falls: this project's choice).
    itemless = rows[items].isna().any(axis=1).groupby(person).any().reindex(people, fill_value=True)
    unknown = rise.isna() | ((rise >= ITEM_RISE) & itemless)
    return worse.astype("boolean").mask(~worse & unknown)


def _run_up(values: pd.Series, person: pd.Series) -> pd.Series:
    """Largest rise within a stretch that never falls: from immediately before to the worst."""
    fell = values.groupby(person).diff() < 0
    run = fell.groupby(person).cumsum()
    start = values.groupby([person, run]).transform("first")
    count = values.groupby(person).count()
    return (values - start).groupby(person).max().where(count > 1)


def _is_ph2(labels: pd.DataFrame) -> pd.Series:
    """PH2, local or remote; missing where the grade is, or the size of a remote one."""
    ph2 = (labels["ht_grade"] == "PH2") | labels["heidelberg_class"].str.contains("2").fillna(False)
    unknown = labels["ht_grade"].isna() & labels["heidelberg_class"].isna()
    remote = labels["heidelberg_class"].str.contains("3a").fillna(False)
    return ph2.astype("boolean").mask(~ph2 & (unknown | remote))


def _at_least(values: pd.Series, threshold: float) -> pd.Series:
    """Values >= threshold as a boolean with missing values."""
    return (values >= threshold).astype("boolean").mask(values.isna())


def _within(hours: pd.Series, limit: float) -> pd.Series:
    """Hours <= limit as a boolean with missing values."""
    return (hours <= limit).astype("boolean").mask(hours.isna())

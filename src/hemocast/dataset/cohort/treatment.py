"""Treatments: one class per patient for Table 1, and scans that contrast staining may deceive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hemocast.dataset.tables.schema import TREATMENTS

if TYPE_CHECKING:
    import pandas as pd

    from hemocast.dataset.cohort.choose import Tables

# The most invasive first: a patient with several treatments counts once, under the first of them.
PRIMARY_ORDER = ("thrombectomy", "thrombolytic", "anticoagulant", "antiplatelet", "none", "unknown")
# Contrast that leaked from a recanalised vessel fades within one to two days; 48 h is the careful
# end and this project's choice.
STAINING_HOURS = 48.0


def primary_treatment(treatment: pd.Series) -> pd.Series:
    """One class per patient, so that the rows of Table 1 add up to the total.

    Parameters
    ----------
    treatment : Series of str
        Treatments joined by ``;``; missing counts as unknown.

    Returns
    -------
    Series of str
        The first of thrombectomy, thrombolytic, anticoagulant, antiplatelet, none, unknown that
        holds. The paper (Zhang 2026) counts treatments as exclusive and does not say how; the order
        is ours.
    """
    joined = treatment.fillna("unknown")
    primary = {
        cell: min(cell.split(";"), key=PRIMARY_ORDER.index) for cell in joined.unique().tolist()
    }
    return joined.map(primary)


def hours_since_treatment(tables: Tables) -> pd.DataFrame:
    """Hours from each treatment to each scan; negative: the scan came first.

    Returns
    -------
    DataFrame
        One row per scan in the order of ``scans``, ``scan_id`` and a column per treatment that has
        a time; missing where either time is.
    """
    import pandas as pd

    scans = tables.scans
    clinical = tables.clinical.set_index("participant_id")
    columns = {"scan_id": scans["scan_id"]}
    for name in TREATMENTS[:4]:
        given = scans["participant_id"].map(clinical[f"{name}_hours"])
        columns[f"hours_since_{name}"] = scans["hours_from_onset"] - given
    return pd.DataFrame(columns)


def staining_possible(tables: Tables) -> pd.Series:
    """Scans on which contrast staining may mimic blood, or hide as it.

    Returns
    -------
    Series of boolean
        Per scan: True within 48 h after thrombectomy; False without thrombectomy, before it, or
        later; missing where the treatments, or their time, are not known.
    """
    scans = tables.scans
    clinical = tables.clinical.set_index("participant_id")
    treatment = clinical["treatment"].reindex(scans["participant_id"]).set_axis(scans.index)
    since = hours_since_treatment(tables)["hours_since_thrombectomy"]
    had = treatment.fillna("").str.contains("thrombectomy")
    unknown = treatment.isna() | (treatment == "unknown") | (had & since.isna())
    return (had & since.between(0, STAINING_HOURS)).astype("boolean").mask(unknown)


def detection_may_be_staining(tables: Tables) -> pd.Series:
    """Participants whose hemorrhage was first seen within 48 h after thrombectomy.

    Returns
    -------
    Series of bool
        Per row of ``labels``: the label should be confirmed on a later or a dual-energy scan.
    """
    clinical = tables.clinical.set_index("participant_id")
    labels = tables.labels
    done = labels["participant_id"].map(clinical["thrombectomy_hours"])
    since = labels["ht_detected_hours"] - done
    return since.between(0, STAINING_HOURS)

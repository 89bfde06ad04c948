"""The dataset's tables: what each column may hold.

Times are hours after the onset of symptoms (last known well where the onset was not seen), so that
no table needs a date. What is known only after the scan (grade, last imaging, death, later NIHSS)
lies in ``labels.tsv`` and ``nihss.tsv``, apart from ``clinical.tsv``: a predictor never comes from
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hemocast.dataset.scan_id import PARTICIPANT, SCAN, participant_of
from hemocast.dataset.tables.columns import HT_OR_NOT, SEXES, Column, Rule, TableSchema

if TYPE_CHECKING:
    import pandas as pd

TREATMENTS = ("antiplatelet", "anticoagulant", "thrombolytic", "thrombectomy", "none", "unknown")
GRADES = ("none", "HI1", "HI2", "PH1", "PH2")
HEIDELBERG = ("none", "1a", "1b", "1c", "2", "3a", "3b", "3c", "3d")
HEIDELBERG_OF_GRADE = {"none": "none", "HI1": "1a", "HI2": "1b", "PH1": "1c", "PH2": "2"}
# NIHSS items and their highest scores; they add up to 42.
NIHSS_ITEMS = {
    "1a": 3, "1b": 2, "1c": 2, "2": 2, "3": 3, "4": 3, "5a": 4, "5b": 4, "6a": 4, "6b": 4,
    "7": 2, "8": 2, "9": 3, "10": 2, "11": 2,
}  # fmt: skip
YEAR = 24.0 * 366

_PERSON = Column("participant_id", required=True, blank=False, pattern=PARTICIPANT)


def _hours(name: str, low: float = 0) -> Column:
    return Column(name, "number", low=low, high=YEAR, unit="hours")


def _grade_disagrees(table: pd.DataFrame) -> pd.Series:
    """Class that contradicts the grade; none says only that nothing lies within the infarct."""
    grades, classes = table["ht_grade"].fillna(""), table["heidelberg_class"].fillna("")
    pairs = grades + "|" + classes
    verdict = {}
    for pair in pairs.unique():
        grade, _, joined = pair.partition("|")
        words = set(joined.split(";"))
        within = words & set(HEIDELBERG_OF_GRADE.values()) - {"none"}
        expected = {HEIDELBERG_OF_GRADE.get(grade, "")} - {"none"}
        verdict[pair] = bool(grade and joined) and within != expected
    return pairs.map(verdict).astype(bool)


def _shows_blood(table: pd.DataFrame) -> pd.Series:
    """Any grade or class other than none; missing where neither is given."""
    known = table["ht_grade"].notna() | table["heidelberg_class"].notna()
    blood = table["ht_grade"].isin(GRADES[1:]) | (
        table["heidelberg_class"].notna() & (table["heidelberg_class"] != "none")
    )
    return blood.astype("boolean").where(known)


PARTICIPANTS = TableSchema(
    "participants",
    (
        _PERSON,
        Column("age", "number", required=True, low=0, high=120, unit="years"),
        Column("sex", "choice", required=True, choices=("F", "M", "O"), words=SEXES),
        Column("site"),
        Column("admission_year", "whole", low=1980, high=2100),
    ),
    ("participant_id",),
)
SCANS = TableSchema(
    "scans",
    (
        _PERSON,
        Column("scan_id", required=True, blank=False, pattern=SCAN),
        _hours("hours_from_onset"),
        _hours("hours_from_first"),
        Column("blood", "flag"),
        Column("manufacturer"),
        Column("model"),
        Column("kernel"),
    ),
    ("scan_id",),
    (
        Rule(
            ("participant_id", "scan_id"),
            lambda t: t["scan_id"].map(participant_of, na_action="ignore") != t["participant_id"],
            "scan_id is the row's participant_id, then _ses- and the session",
        ),
    ),
)
CLINICAL = TableSchema(
    "clinical",
    (
        _PERSON,
        Column("treatment", "choices", choices=TREATMENTS),
        *(_hours(f"{name}_hours", low=-YEAR) for name in TREATMENTS[:2]),
        *(_hours(f"{name}_hours") for name in TREATMENTS[2:4]),
        _hours("onset_to_first_scan_hours"),
        Column("nihss", "whole", low=0, high=42),
        Column(
            "glucose_mmol_l", "number", low=1, high=40, unit="mmol/L",
            hint="a value above 40 is probably mg/dL: divide it by 18.016",
        ),
        Column("systolic_mmhg", "number", low=40, high=320, unit="mmHg"),
        Column("diastolic_mmhg", "number", low=20, high=220, unit="mmHg"),
        Column("atrial_fibrillation", "flag"),
    ),
    ("participant_id",),
    (
        Rule(
            ("treatment",),
            lambda t: t["treatment"].str.contains(";none|;unknown|none;", regex=True).fillna(False),
            "none and unknown stand alone",
        ),
        *(
            Rule(
                ("treatment", f"{name}_hours"),
                lambda t, name=name: t[f"{name}_hours"].notna()  # type: ignore[misc]
                & ~t["treatment"].fillna("").str.contains(name),
                f"a time of {name} only where treatment names it",
            )
            for name in TREATMENTS[:4]
        ),
        Rule(
            ("systolic_mmhg", "diastolic_mmhg"),
            lambda t: t["diastolic_mmhg"] >= t["systolic_mmhg"],
            "diastolic below systolic pressure",
        ),
    ),
)  # fmt: skip
OUTCOME_STATUS = ("observed", "no_later_scan", "death", "lost")
"""Whether the outcome was observed, and why not: no scan after the first, death before one, or the
patient was not followed."""

LABELS = TableSchema(
    "labels",
    (
        _PERSON,
        Column("label", "flag", words=HT_OR_NOT, required=True),
        Column("outcome_status", "choice", choices=OUTCOME_STATUS),
        Column("ht_grade", "choice", choices=GRADES),
        Column("heidelberg_class", "choices", choices=HEIDELBERG),
        _hours("ht_detected_hours"),
        _hours("last_imaging_hours"),
        _hours("death_hours"),
        Column("major_intervention", "flag"),
        Column("ht_is_main_cause", "flag"),
    ),
    ("participant_id",),
    (
        Rule(
            ("label", "outcome_status"),
            lambda t: t["label"].notna() & ~t["outcome_status"].fillna("observed").eq("observed"),
            "no label where the outcome was not observed",
        ),
        Rule(
            ("label", "ht_grade", "heidelberg_class"),
            lambda t: (t["label"] != _shows_blood(t)).fillna(False),
            "label 1 with a grade or class, label 0 with none",
        ),
        Rule(
            ("ht_grade", "heidelberg_class"),
            _grade_disagrees,
            "HI1 is 1a, HI2 is 1b, PH1 is 1c, PH2 is 2; none is without these four",
        ),
        Rule(
            ("heidelberg_class",),
            lambda t: t["heidelberg_class"].str.contains("none;").fillna(False),
            "none stands alone",
        ),
        Rule(
            ("label", "ht_detected_hours"),
            lambda t: (t["ht_detected_hours"].notna() & (t["label"] == False)).fillna(False),  # noqa: E712
            "a time of detection only with label 1",
        ),
        Rule(
            ("ht_detected_hours", "last_imaging_hours"),
            lambda t: t["ht_detected_hours"] > t["last_imaging_hours"],
            "detection not after the last imaging",
        ),
    ),
)
NIHSS = TableSchema(
    "nihss",
    (
        _PERSON,
        Column("hours", "number", required=True, blank=False, low=0, high=YEAR, unit="hours"),
        Column("nihss", "whole", required=True, blank=False, low=0, high=42),
        *(Column(f"item_{i}", "whole", low=0, high=top) for i, top in NIHSS_ITEMS.items()),
    ),
    ("participant_id", "hours"),
    (
        Rule(
            ("nihss", "item_1a", "item_11"),
            lambda t: (
                t[[f"item_{i}" for i in NIHSS_ITEMS]].notna().all(axis=1)
                & (t[[f"item_{i}" for i in NIHSS_ITEMS]].sum(axis=1) != t["nihss"]).fillna(False)
            ),
            "items that add up to the total",
        ),
    ),
)
REVIEWS = TableSchema(
    "reviews",
    (
        _PERSON,
        Column("reviewer_id", required=True, blank=False, pattern=r"[0-9A-Za-z_-]{1,40}"),
        Column(
            "role", "choice", required=True, blank=False, choices=("reviewer", "committee")
        ),
        Column("label", "flag", words=HT_OR_NOT, required=True, blank=False),
        Column("ht_grade", "choice", choices=GRADES),
    ),
    ("participant_id", "reviewer_id"),
    (
        Rule(
            ("label", "ht_grade"),
            lambda t: (t["label"] == False).fillna(False)  # noqa: E712
            & t["ht_grade"].isin(GRADES[1:]),
            "label 0 with grade none or n/a",
        ),
    ),
)  # fmt: skip
SCHEMAS = (PARTICIPANTS, SCANS, CLINICAL, LABELS, NIHSS, REVIEWS)
REQUIRED = ("participants", "scans", "labels")

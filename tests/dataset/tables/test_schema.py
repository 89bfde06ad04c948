"""What the tables may hold: each rule of the schema, one bad row each."""

from __future__ import annotations

import pytest

from hemocast.dataset.cohort.choose import check_tables
from hemocast.dataset.tables.schema import NIHSS_ITEMS
from hemocast.errors import TableError

P = {"participant_id": "sub-1"}


def _refusal(text_of, **rows) -> str:
    with pytest.raises(TableError) as refusal:
        check_tables(text_of(**rows))
    return str(refusal.value)


def test_the_nihss_adds_up_to_42() -> None:
    assert sum(NIHSS_ITEMS.values()) == 42


def test_glucose_in_mg_per_dl_is_refused_with_a_hint(text_of) -> None:
    message = _refusal(text_of, clinical=[P | {"glucose_mmol_l": 126}])
    assert "clinical.tsv, row 2, column glucose_mmol_l: a number from 1 to 40 mmol/L" in message
    assert "divide it by 18.016" in message


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        ("clinical", {"treatment": "none;thrombolytic"}, "treatment"),
        ("clinical", {"treatment": "aspirin"}, "treatment"),
        ("clinical", {"treatment": "none", "thrombectomy_hours": 4}, "thrombectomy_hours"),
        ("clinical", {"systolic_mmhg": 90, "diastolic_mmhg": 140}, "diastolic_mmhg"),
        ("clinical", {"nihss": 43}, "nihss"),
        ("labels", {"label": 1, "ht_grade": "none"}, "label + ht_grade"),
        ("labels", {"label": 0, "ht_grade": "HI1"}, "label + ht_grade"),
        ("labels", {"label": 0, "heidelberg_class": "3c"}, "label + ht_grade"),
        ("labels", {"label": 1, "ht_grade": "PH1", "heidelberg_class": "2"}, "heidelberg_class"),
        ("labels", {"label": 1, "ht_grade": "none", "heidelberg_class": "1a"}, "heidelberg_class"),
        ("labels", {"label": 1, "heidelberg_class": "none;3c"}, "heidelberg_class"),
        ("labels", {"label": 0, "ht_detected_hours": 30}, "ht_detected_hours"),
        ("labels", {"label": 1, "ht_detected_hours": 30, "last_imaging_hours": 20}, "last_imaging"),
        ("nihss", {"hours": -1, "nihss": 4}, "hours"),
        (
            "nihss",
            {"hours": 1, "nihss": 4} | {f"item_{item}": 0 for item in NIHSS_ITEMS},
            "nihss + item_1a",
        ),
        ("scans", {"scan_id": "sub-2_ses-01"}, "scan_id"),
        ("scans", {"scan_id": "sub-1_ses-01", "blood": "maybe"}, "blood"),
        ("reviews", {"reviewer_id": "r", "role": "chief", "label": 1}, "role"),
        (
            "reviews",
            {"reviewer_id": "r", "role": "reviewer", "label": 0, "ht_grade": "PH2"},
            "ht_grade",
        ),
    ],
)
def test_a_row_that_cannot_be_is_refused(text_of, table: str, row: dict, column: str) -> None:
    message = _refusal(text_of, **{table: [P | row]})
    assert f"{table}.tsv, row 2, column" in message
    assert column in message


@pytest.mark.parametrize(
    "row",
    [
        {"label": 1},
        {"label": 1, "ht_grade": "PH2", "heidelberg_class": "2;3b"},
        {"label": 1, "ht_grade": "none", "heidelberg_class": "3c"},
        {"label": 1, "heidelberg_class": "3a"},
        {"label": 0, "ht_grade": "none", "heidelberg_class": "none"},
        {"label": "n/a", "ht_grade": "HI1"},
    ],
)
def test_labels_that_can_be_are_taken(tables_of, row: dict) -> None:
    assert len(tables_of(labels=[P | row]).labels) == 1

"""Treatments: one class per patient, and scans that contrast staining may deceive."""

from __future__ import annotations

import pandas as pd

from hemocast.dataset.cohort.treatment import (
    detection_may_be_staining,
    hours_since_treatment,
    primary_treatment,
    staining_possible,
)


def test_every_patient_has_one_class_and_the_most_invasive_wins() -> None:
    cells = ["antiplatelet;thrombolytic", "thrombolytic;thrombectomy", "none", "unknown", None]
    primary = primary_treatment(pd.Series(cells, dtype="str"))
    assert primary.tolist() == ["thrombolytic", "thrombectomy", "none", "unknown", "unknown"]


def test_staining_is_flagged_after_thrombectomy_only(tables_of) -> None:
    def person(name: str) -> dict[str, object]:
        return {"participant_id": f"sub-{name}"}

    treated = {"treatment": "thrombectomy", "thrombectomy_hours": 6}
    tables = tables_of(
        scans=[
            person("a") | {"scan_id": f"sub-a_ses-{i}", "hours_from_onset": hours}
            for i, hours in enumerate((2, 10, 60))
        ]
        + [
            person(name) | {"scan_id": f"sub-{name}_ses-1", "hours_from_onset": 10}
            for name in "bcd"
        ],
        clinical=[
            person("a") | treated,
            person("b") | {"treatment": "thrombolytic", "thrombolytic_hours": 3},
            person("c") | {"treatment": "thrombectomy"},
        ],
        labels=[
            person("a") | {"label": 1, "ht_detected_hours": 20},
            person("b") | {"label": 1, "ht_detected_hours": 20},
        ],
    )
    flags = staining_possible(tables)
    assert flags.tolist()[:4] == [False, True, False, False]
    assert flags[4:].isna().all(), "unknown time, unknown treatment"
    since = hours_since_treatment(tables)
    assert since["hours_since_thrombectomy"].tolist()[:3] == [-4, 4, 54]
    assert since["hours_since_thrombolytic"].tolist()[3] == 7
    assert detection_may_be_staining(tables).tolist() == [True, False]

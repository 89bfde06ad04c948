"""Who enters, and under which reason everybody else is counted."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hemocast.dataset.cohort.eligibility import EligibilityConfig, Eligible, select_scans
from hemocast.errors import TooFewPatients


class _Rows:
    """Rows of a cohort that always holds one good patient of each class."""

    def __init__(self) -> None:
        self.scans: list[dict] = []
        self.labels: list[dict] = []
        self.person("ht", [10, 30], label=1, ht_detected_hours=40)
        self.person("non", [10, 30], label=0, last_imaging_hours=80)

    def person(self, name: str, hours: list, blood: list | None = None, **label: object) -> None:
        who = {"participant_id": f"sub-{name}"}
        for i, hour in enumerate(hours):
            flag = {"blood": blood[i]} if blood else {}
            row = {"scan_id": f"sub-{name}_ses-{i:02d}", "hours_from_onset": hour}
            self.scans.append(who | row | flag)
        self.labels.append(who | label)


@pytest.fixture
def select(tables_of):
    """Return a function that adds patients to two good ones and selects."""

    def _select(*people: tuple, **config: float) -> Eligible:
        rows = _Rows()
        for name, hours, more in people:
            rows.person(name, hours, **more)
        tables = tables_of(scans=rows.scans, labels=rows.labels)
        return select_scans(tables, EligibilityConfig(**config))

    return _select


def _reasons(eligible: Eligible) -> dict[str, str]:
    table = eligible.excluded
    return dict(zip(table["scan_id"], table["reason"], strict=True))


def test_every_scan_before_detection_enters(select) -> None:
    eligible = select()
    assert len(eligible.scans) == 4
    assert eligible.labels == {"sub-ht": 1, "sub-non": 0}
    ht = eligible.scans[eligible.scans["label"] == 1]
    assert ht["hours_to_ht"].tolist() == [30, 10]


@pytest.mark.parametrize(
    ("hours", "more", "reason"),
    [
        ([10], {"label": "n/a"}, "no label"),
        ([10, 20], {"label": 1, "ht_detected_hours": 40, "blood": [1, 0]}, "first scan shows"),
        ([10, 20], {"label": 1, "ht_detected_hours": 10}, "first scan shows hemorrhage"),
        ([10], {"label": 1}, "HT without a time"),
        ([10], {"label": 1, "ht_detected_hours": 400}, "HT detected after the horizon (336 h)"),
        ([10, 20], {"label": 0, "last_imaging_hours": 80, "blood": [0, 1]}, "labelled no HT, but"),
        (["n/a"], {"label": 1, "ht_detected_hours": 40}, "no time from onset"),
        ([80], {"label": 1, "ht_detected_hours": 99}, "scan outside the window (0-72 h)"),
        ([10], {"label": 0, "last_imaging_hours": 33}, "no HT, but no imaging at least 24 h"),
        ([10], {"label": 0}, "no HT, but no imaging at least 24 h"),
        ([10], {"label": 0, "last_imaging_hours": 500}, "no HT, but no imaging at least 24 h"),
    ],
)
def test_each_exclusion_has_its_reason(select, hours: list, more: dict, reason: str) -> None:
    eligible = select(("x", hours, more))
    assert "sub-x" not in eligible.labels
    reasons = _reasons(eligible)
    assert reasons["sub-x_ses-00"].startswith(reason)
    (step,) = [step for step in eligible.flow if step.reason.startswith(reason)]
    assert step.patients == 1


def test_only_the_scans_after_detection_or_with_blood_are_lost(select) -> None:
    eligible = select(
        ("late", [10, 40, 60], {"label": 1, "ht_detected_hours": 40}),
        ("blood", [10, 20, 30], {"label": 1, "ht_detected_hours": 40, "blood": [0, 1, 0]}),
    )
    reasons = _reasons(eligible)
    assert reasons == {
        "sub-late_ses-01": "scan when HT was detected, or after",
        "sub-late_ses-02": "scan when HT was detected, or after",
        "sub-blood_ses-01": "scan shows blood",
    }
    assert eligible.labels["sub-blood"] == 1


def test_a_later_scan_is_the_follow_up_of_an_earlier_one(select) -> None:
    eligible = select(("x", [10, 40], {"label": 0}))
    assert _reasons(eligible).keys() == {"sub-x_ses-01"}


def test_the_window_is_the_same_for_both_classes(select) -> None:
    eligible = select(window_end_hours=20)
    assert sorted(eligible.scans["scan_id"]) == ["sub-ht_ses-00", "sub-non_ses-00"]


def test_the_flow_adds_up(select) -> None:
    eligible = select(
        ("a", [10], {"label": "n/a"}),
        ("b", [10, 20], {"label": 1, "ht_detected_hours": 15}),
        ("c", [10], {"label": 0, "last_imaging_hours": 12}),
        ("d", [], {"label": 1}),
    )
    first, *steps = eligible.flow
    assert (first.patients_left, first.scans_left) == (6, 8)
    assert first.patients_left - sum(step.patients for step in steps) == len(eligible.labels)
    assert first.scans_left - sum(step.scans for step in steps) == len(eligible.scans)
    assert len(eligible.scans) + len(eligible.excluded) == 8
    assert steps[0].reason == "no scan in the dataset"
    assert steps[0].patients == 1


def test_a_class_with_nobody_left_is_refused_with_the_flow(select) -> None:
    said = r"without HT is left\. Lost: no HT, but no imaging at least 100 h"
    with pytest.raises(TooFewPatients, match=said):
        select(follow_up_hours=100)


def test_what_cost_most_patients_comes_first_with_the_column_that_is_lacking(tables_of) -> None:
    people = [f"sub-{i}" for i in range(3)]
    scans = [{"participant_id": one, "scan_id": f"{one}_ses-01"} for one in people]
    labels = [{"participant_id": one, "label": 0} for one in people[1:]]
    with pytest.raises(TooFewPatients) as caught:
        select_scans(tables_of(scans=scans, labels=labels))
    said = str(caught.value)
    assert "Lost: no time from onset to scan: 2 patient(s), 2 scan(s); no label: 1 pat" in said
    assert "Give onset_to_first_scan_hours, label with --clinical or --labels" in said
    assert said.count("patient(s)") == 2


def test_times_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError):
        EligibilityConfig(window_end_hours=400)

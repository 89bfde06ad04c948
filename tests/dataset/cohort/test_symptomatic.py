"""The five definitions, one patient at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hemocast.dataset.cohort.symptomatic import DEFINITIONS, symptomatic
from hemocast.dataset.tables.schema import NIHSS_ITEMS

P = {"participant_id": "sub-1"}
TREATED = {"treatment": "thrombolytic", "thrombolytic_hours": 2, "nihss": 10}
BLED = {"label": 1, "ht_grade": "PH2", "ht_detected_hours": 20, "major_intervention": 0}
CAUSE = {"ht_is_main_cause": 1}


@pytest.fixture
def answers(tables_of):
    """Return a function from one patient to their five answers; None: not known."""

    def _of(labels: dict, series: list[tuple[float, int]] = (), clinical: dict = TREATED) -> dict:
        rows = [P | {"hours": hours, "nihss": value} for hours, value in series]
        tables = tables_of(labels=[P | labels], clinical=[P | clinical], nihss=rows)
        row = symptomatic(tables).iloc[0]
        return {name: None if pd.isna(row[name]) else bool(row[name]) for name in DEFINITIONS}

    return _of


def test_a_clear_case_is_symptomatic_by_all(answers) -> None:
    found = answers(BLED | CAUSE, [(18, 16)])
    assert found == dict.fromkeys(DEFINITIONS, True)


def test_no_hemorrhage_is_never_symptomatic_whatever_is_not_known(answers) -> None:
    assert answers({"label": 0}, [(18, 30)]) == dict.fromkeys(DEFINITIONS, False)
    assert answers({"label": 0}, clinical={}) == dict.fromkeys(DEFINITIONS, False)


def test_no_label_gives_no_answer(answers) -> None:
    assert answers({"label": "n/a"}, [(18, 16)]) == dict.fromkeys(DEFINITIONS)


def test_a_rise_of_three_is_a_decline_and_no_more(answers) -> None:
    found = answers(BLED | CAUSE, [(18, 13)])
    assert found["ninds"]
    assert found["ecass_ii"] is False
    assert found["sits_most"] is False
    assert found["heidelberg"] is None, "an item may have risen by 2: no items are given"


def test_the_lowest_value_counts_and_not_only_the_first(answers) -> None:
    found = answers(BLED | CAUSE, [(10, 6), (18, 10)])
    assert found["ecass_ii"]
    assert found["sits_most"]


def test_sits_most_asks_for_ph2(answers) -> None:
    found = answers(BLED | CAUSE | {"ht_grade": "PH1"}, [(18, 16)])
    assert found["sits_most"] is False
    assert found["ecass_ii"]
    remote = BLED | CAUSE | {"ht_grade": "none", "heidelberg_class": "3a"}
    assert answers(remote, [(18, 16)])["sits_most"] is None, "how large is not said"


def test_ecass_iii_and_heidelberg_ask_for_the_cause(answers) -> None:
    other = answers(BLED | {"ht_is_main_cause": 0}, [(18, 16)])
    assert other["ecass_ii"]
    assert other["ecass_iii"] is False
    assert other["heidelberg"] is False
    assert answers(BLED, [(18, 16)])["ecass_iii"] is None


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (38, {"ninds", "ecass_ii", "ecass_iii", "sits_most", "heidelberg"}),
        (39, {"ecass_ii", "ecass_iii", "heidelberg"}),
        (50, {"ecass_ii", "ecass_iii", "heidelberg"}),
        (51, {"ecass_ii", "ecass_iii"}),
        (170, {"ecass_ii", "ecass_iii"}),
        (171, set()),
    ],
)
def test_the_hour_of_detection_counts_from_treatment(answers, seen: float, expected: set) -> None:
    """Treatment was at 2 h: 36 h, 48 h and 7 days end at 38, 50 and 170 h after onset."""
    found = answers(BLED | CAUSE | {"ht_detected_hours": seen}, [(18, 16)])
    assert {name for name, answer in found.items() if answer} == expected


def test_death_counts_for_ecass_and_not_for_heidelberg(answers) -> None:
    found = answers(BLED | CAUSE | {"death_hours": 60}, [(18, 10)])
    assert found["ecass_ii"]
    assert found["sits_most"]
    assert found["ninds"] is False, "death came after 36 h, without a decline before"
    assert found["heidelberg"] is False


def test_an_intervention_counts_for_heidelberg_alone(answers) -> None:
    found = answers(BLED | CAUSE | {"major_intervention": 1}, [(18, 10)])
    assert found["heidelberg"]
    assert found["ecass_ii"] is False


def test_one_item_up_by_two_is_enough_for_heidelberg(tables_of) -> None:
    items = {f"item_{item}": 0 for item in NIHSS_ITEMS}
    series = [
        P | items | {"hours": 3, "nihss": 3, "item_5a": 3},
        P | items | {"hours": 18, "nihss": 4, "item_5a": 2, "item_9": 2},
    ]
    tables = tables_of(labels=[P | BLED | CAUSE], nihss=series)
    assert bool(symptomatic(tables)["heidelberg"].iloc[0])


def test_a_worsening_over_several_examinations_is_one(answers) -> None:
    """10, 12, 15: up by 5 from immediately before; 10, 12, 9, 12: never by 4."""
    assert answers(BLED | CAUSE, [(8, 12), (12, 15)])["heidelberg"]
    assert not answers(BLED | CAUSE, [(8, 12), (12, 9), (16, 12)])["heidelberg"]


def test_without_an_examination_after_treatment_nothing_is_known(answers) -> None:
    found = answers(BLED | CAUSE)
    assert found == dict.fromkeys(DEFINITIONS)
    assert answers(BLED | CAUSE | {"ht_detected_hours": "n/a"}, [(18, 16)])["ninds"] is None


def test_the_definitions_are_ordered_as_their_wording_says(tables_of) -> None:
    """ECASS III implies ECASS II, on random patients; more bleeding never means fewer."""
    rng = np.random.default_rng(1)
    labels, clinical, series = [], [], []
    for i in range(300):
        person = {"participant_id": f"sub-{i}"}
        bled = int(rng.random() < 0.7)
        seen = {"ht_detected_hours": round(float(rng.uniform(3, 200)), 1)} if bled else {}
        grade = str(rng.choice(["HI1", "HI2", "PH1", "PH2"])) if bled else "none"
        more = {"ht_is_main_cause": int(rng.integers(2)), "major_intervention": 0}
        labels.append(person | {"label": bled, "ht_grade": grade} | seen | more)
        clinical.append(person | TREATED)
        hours = np.sort(rng.uniform(3, 200, 4)).round(2)
        series += [person | {"hours": h, "nihss": int(rng.integers(0, 30))} for h in hours]
    found = symptomatic(tables_of(labels=labels, clinical=clinical, nihss=series))
    sure = found[list(DEFINITIONS)].fillna(False).astype(bool)
    assert (sure["ecass_ii"] | ~sure["ecass_iii"]).all()
    assert (sure["ecass_ii"] | ~sure["sits_most"]).all()
    assert (sure["ninds"] | ~sure["sits_most"]).all()
    assert sure.any().all()
    assert not sure.all().any()


def test_a_treatment_without_its_hour_leaves_the_clock_unknown(answers) -> None:
    for treatment in ("thrombolytic", "thrombectomy", "antiplatelet;thrombolytic"):
        found = answers(BLED | CAUSE, [(18, 16)], {"treatment": treatment, "nihss": 10})
        assert found == dict.fromkeys(DEFINITIONS), treatment
    from_onset = answers(BLED | CAUSE, [(18, 16)], {"treatment": "antiplatelet", "nihss": 10})
    assert from_onset == dict.fromkeys(DEFINITIONS, True)


def test_a_death_at_an_unknown_hour_on_the_clock_is_no_survival(answers) -> None:
    found = answers(BLED | CAUSE | {"death_hours": 60}, [(18, 10)], {"treatment": "thrombolytic"})
    assert found["ecass_ii"] is None

"""Points on both sides of every boundary, ranges that hold every completion, and every warning."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.classical.scores import Fact, Result, Score, all_scores, apply, facts_of
from hemocast.classical.scores.inputs import INPUTS

SCORES = all_scores()
NAMES = list(SCORES)
ORDERED = {
    "diabetes": ("no", "yes"), "hypertension": ("no", "yes"), "early_infarct_signs": ("no", "yes"),
    "dense_artery": ("no", "yes"), "hypodensity": ("none", "below_third", "third_or_more"),
}  # fmt: skip


def _points(name: str, item: str, **values: Any) -> int | None:
    result = apply(SCORES[name], facts_of(values))
    (found,) = (one for one in result.items if one.name.startswith(item))
    return found.points


def _codes(result: Result) -> set[str]:
    return {note.code for note in result.notes}


BOUNDARIES = [
    ("HAT", "diabetes", "glucose_mg_dl", {200: None, 200.5: 1}),
    ("HAT", "NIHSS", "nihss", {14: 0, 15: 1, 20: 1, 21: 2}),
    ("SEDAN", "glucose", "glucose_mmol_l", {8.0: 0, 8.05: 1, 8.1: 1, 12.0: 1, 12.1: 2}),
    ("SEDAN", "glucose", "glucose_mg_dl", {144: 0, 145: 1, 216: 1, 217: 2}),
    ("SEDAN", "age", "age", {75: 0, 75.9: 0, 76: 1}),
    ("SEDAN", "NIHSS", "nihss", {9: 0, 10: 1}),
    ("SITS-SICH", "NIHSS", "nihss", {6: 0, 7: 1, 12: 1, 13: 2}),
    ("SITS-SICH", "glucose", "glucose_mg_dl", {179: 0, 180: 2}),
    ("SITS-SICH", "age", "age", {71: 0, 72: 1}),
    ("SITS-SICH", "systolic", "systolic_mmhg", {145: 0, 146: 1}),
    ("SITS-SICH", "weight", "weight_kg", {94.9: 0, 95: 1}),
    ("SITS-SICH", "onset", "onset_to_treatment_min", {179: 0, 180: 1}),
    ("SITS-SICH", "onset", "thrombolytic_hours", {2.98: 0, 3: 1}),
    ("GRASPS", "glucose", "glucose_mg_dl", {99: 2, 100: 6, 149: 6, 149.5: 6, 150: 8}),
    ("GRASPS", "age", "age", {60: 8, 61: 11, 70: 11, 71: 15, 80: 15, 81: 17}),
    ("GRASPS", "systolic", "systolic_mmhg", {119: 10, 120: 14, 149: 14, 150: 18, 179: 18, 180: 21}),
    ("GRASPS", "NIHSS", "nihss", {5: 25, 6: 27, 10: 27, 11: 34, 15: 34, 16: 40, 20: 40, 21: 42}),
    ("MSS", "age", "age", {60: 0, 61: 1}),
    ("MSS", "NIHSS", "nihss", {10: 0, 11: 1}),
    ("MSS", "glucose", "glucose_mmol_l", {8.3: 0, 8.33: 1}),
    ("MSS", "platelets", "platelets_10e9_l", {149.9: 1, 150: 0}),
    ("MSS", "platelets", "platelets_per_mm3", {149999: 1, 150000: 0}),
    ("HTI", "ASPECTS", "aspects", {0: 3, 2: 3, 3: 2, 4: 2, 5: 1, 6: 1, 7: 0, 10: 0}),
    ("HTI", "NIHSS", "nihss", {11: 0, 12: 1, 17: 1, 18: 2, 23: 2, 24: 3}),
    ("RICH", "age", "age", {80: 0, 81: 1}),
    ("RICH", "NIHSS", "nihss", {4: 0, 5: 1}),
    ("RICH", "glucose", "glucose_mg_dl", {125: 0, 126: 1}),
    ("RICH", "systolic", "systolic_mmhg", {155: 0, 156: 1}),
    ("RICH", "statin", "statin", {"none": 0, "low": 0, "medium": 1, "high": 1}),
    ("TAG", "mTICI", "mtici", {"0": 2, "1": 2, "2a": 2, "2b": 0, "2c": 0, "3": 0}),
    ("TAG", "ASPECTS", "aspects", {5: 4, 6: 2, 7: 2, 8: 0}),
    ("TAG", "glucose", "glucose_mg_dl", {149: 0, 150: 1}),
    ("DRAGON", "mRS", "prestroke_mrs", {1: 0, 2: 1}),
    ("DRAGON", "age", "age", {64: 0, 65: 1, 79: 1, 80: 2}),
    ("DRAGON", "glucose", "glucose_mmol_l", {8.0: 0, 8.1: 1}),
    ("DRAGON", "onset", "onset_to_treatment_min", {90: 0, 91: 1}),
    ("DRAGON", "NIHSS", "nihss", {4: 0, 5: 1, 9: 1, 10: 2, 15: 2, 16: 3}),
    ("THRIVE", "NIHSS", "nihss", {10: 0, 11: 2, 20: 2, 21: 4}),
    ("THRIVE", "age", "age", {59: 0, 60: 1, 79: 1, 80: 2}),
    ("ASTRAL", "age", "age", {74: 14, 75: 15, 79: 15, 80: 16}),
    ("ASTRAL", "onset", "onset_to_admission_hours", {3: 0, 3.1: 2}),
    ("ASTRAL", "onset", "onset_unknown", {"1": 2}),
    ("ASTRAL", "glucose", "glucose_mmol_l", {3.6: 1, 3.7: 0, 7.3: 0, 7.4: 1}),
    ("iScore", "Canadian", "cns", {0: 105, 0.5: 65, 4: 65, 4.5: 40, 5: 40, 7.5: 40, 8: 0}),
    ("iScore", "glucose", "glucose_mmol_l", {7.4: 0, 7.5: 15}),
    ("iScore", "stroke", "stroke_subtype", {"lacunar": 0, "nonlacunar": 30, "undetermined": 35}),
]


@pytest.mark.parametrize(("name", "item", "column", "expected"), BOUNDARIES)
def test_both_sides_of_every_boundary(
    name: str, item: str, column: str, expected: dict[Any, int | None]
) -> None:
    assert {value: _points(name, item, **{column: value}) for value in expected} == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("HAT", {"nihss": 20}), ("SEDAN", {"glucose_mmol_l": 8.04}),
        ("GRASPS", {"glucose_mmol_l": 8.3}), ("MSS", {"glucose_mg_dl": 150}),
        ("DRAGON", {"glucose_mmol_l": 7.995}), ("ASTRAL", {"age": 77}), ("iScore", {"cns": 4.5}),
    ],
)  # fmt: skip
def test_a_value_of_which_the_sources_doubt_is_named(name: str, values: dict[str, Any]) -> None:
    assert "boundary" in _codes(apply(SCORES[name], facts_of(values)))


def test_a_value_beside_the_doubt_is_not_named() -> None:
    for name, values in (("HAT", {"nihss": 19}), ("SEDAN", {"glucose_mmol_l": 8.0})):
        assert "boundary" not in _codes(apply(SCORES[name], facts_of(values)))
    assert "boundary" not in _codes(apply(SCORES["ASTRAL"], facts_of({"age": 75})))


def _values(name: str) -> st.SearchStrategy[float | str]:
    one = INPUTS[name]
    if one.is_number and one.column.kind == "whole":
        return st.integers(int(one.column.low), int(one.column.high)).map(float)
    if one.is_number:
        top = min(one.column.high, 400000.0)
        return st.floats(one.column.low, top).map(lambda value: round(value, 2))
    return st.sampled_from(one.words)


@st.composite
def _patient(draw: st.DrawFn) -> tuple[Score, dict[str, Fact], set[str]]:
    """Draw a score, a patient with all that it asks for, and what of it is hidden."""
    score = SCORES[draw(st.sampled_from(NAMES))]
    facts = {name: Fact(draw(_values(name))) for name in score.inputs}
    if "sex" in facts:
        facts["sex"] = Fact(draw(st.sampled_from("FM")))
    return score, facts, draw(st.sets(st.sampled_from(score.inputs)))


@settings(max_examples=100, deadline=None)
@given(_patient())
def test_a_range_holds_every_completion_and_its_risk(
    drawn: tuple[Score, dict[str, Fact], set[str]],
) -> None:
    score, facts, hidden = drawn
    whole = apply(score, facts)
    part = apply(score, {name: fact for name, fact in facts.items() if name not in hidden})
    assert whole.points == whole.low == whole.high
    assert score.range[0] <= part.low <= whole.points <= part.high <= score.range[1]
    assert part.points in (None, whole.points)
    assert set(part.missing) <= hidden
    if whole.risk and whole.risk.value is not None:
        assert part.risk is not None
        assert part.risk.low <= whole.risk.value <= part.risk.high  # type: ignore[operator]


def test_the_ends_of_a_range_are_reached() -> None:
    """Of nothing known, the range is the whole score's, which the file states and load checks."""
    for score in SCORES.values():
        found = apply(score, {})
        assert (found.low, found.high) == score.range
        assert found.points is None


@settings(max_examples=80, deadline=None)
@given(_patient(), st.data())
def test_worse_never_means_fewer_points(
    drawn: tuple[Score, dict[str, Fact], set[str]], data: st.DataObject
) -> None:
    score, facts, _ = drawn
    rising = [name for name in ("nihss", "age", *ORDERED) if name in facts]
    name = data.draw(st.sampled_from(rising or ["nihss"]))
    if name not in facts:
        return
    values = [data.draw(_values(name)), facts[name].value]
    low, high = sorted(values, key=ORDERED.get(name, ()).index if name in ORDERED else float)  # type: ignore[arg-type]
    less, more = (apply(score, {**facts, name: Fact(value)}) for value in (low, high))
    assert less.points is not None
    assert more.points is not None
    assert less.points <= more.points


def test_what_cannot_matter_is_not_missing() -> None:
    found = apply(SCORES["HAT"], facts_of({"diabetes": 1, "nihss": 3, "hypodensity": "none"}))
    assert (found.points, found.missing) == (1, ())


def test_a_score_has_no_guess_for_a_word_it_does_not_know() -> None:
    found = apply(SCORES["GRASPS"], facts_of({"sex": "O"}))
    assert found.points is None
    assert "sex" in found.missing


@pytest.mark.parametrize("points", range(9))
def test_hti_has_a_risk_up_to_five_points_and_none_above(points: int) -> None:
    published = [0.027, 0.070, 0.169, 0.346, 0.571, 0.768, None, None, None]
    aspects = {0: 10, 1: 6, 2: 4, 3: 2}[min(points, 3)]
    rest = points - min(points, 3)
    nihss = {0: 5, 1: 12, 2: 18, 3: 24}[min(rest, 3)]
    rest -= min(rest, 3)
    given_ = {"dense_artery": int(rest > 0), "atrial_fibrillation": int(rest > 1)}
    found = apply(SCORES["HTI"], facts_of({"aspects": aspects, "nihss": nihss} | given_))
    assert found.points == points
    assert found.risk is not None
    assert found.risk.value == published[points]
    assert ("no_published_risk" in _codes(found)) == (points > 5)


def test_grasps_risks_are_those_of_the_curve_and_unconfirmed() -> None:
    at = {50: 0.0084, 60: 0.0168, 70: 0.0422, 80: 0.0846, 101: 0.348}
    (risk,) = SCORES["GRASPS"].risks
    for points, share in at.items():
        step = risk.at(points)
        assert step is not None
        assert step.shares(points)[0] == pytest.approx(share, abs=0.0005)
    least = {
        "glucose_mg_dl": 90,
        "asian": 0,
        "age": 50,
        "sex": "F",
        "systolic_mmhg": 110,
        "nihss": 5,
    }
    found = apply(SCORES["GRASPS"], facts_of(least))
    assert found.points == 45
    assert found.risk is not None
    assert (found.risk.value, found.risk.low, found.risk.high) == (None, 0.0, 0.01)
    assert "unconfirmed_risk" in _codes(found)


@pytest.mark.parametrize(
    ("age", "treatment", "risk"),
    [
        (82, "thrombolytic", (0.42, 0.42)), (81, "thrombolytic", (0.12, 0.12)),
        (82, "none", (0.19, 0.19)), (81, "antiplatelet", (0.05, 0.05)),
        (82, None, (0.19, 0.42)), (81, "unknown", (0.05, 0.12)),
    ],
)  # fmt: skip
def test_span_knows_treated_and_untreated(age: int, treatment: str | None, risk: object) -> None:
    found = apply(SCORES["SPAN-100"], facts_of({"age": age, "nihss": 18, "treatment": treatment}))
    assert found.risk is not None
    assert (found.risk.low, found.risk.high) == risk
    assert (found.risk.value is None) == (treatment in (None, "unknown"))


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("HAT", {"treatment": "antiplatelet"}, "outside_population"),
        ("HAT", {"treatment": "none"}, "outside_population"),
        ("HAT", {}, "population_unknown"),
        ("HAT", {"treatment": "unknown"}, "population_unknown"),
        ("HAT", {"treatment": "antiplatelet;thrombolytic"}, None),
        ("TAG", {"treatment": "thrombolytic"}, "outside_population"),
        ("TAG", {"treatment": "thrombectomy"}, None),
        ("HTI", {"territory": "other"}, "outside_population"),
        ("HTI", {"territory": "mca", "treatment": "none"}, None),
        ("THRIVE", {"age": 17}, "outside_population"),
    ],
)
def test_it_says_whom_a_score_is_not_for(
    name: str, values: dict[str, Any], code: str | None
) -> None:
    found = _codes(apply(SCORES[name], facts_of(values))) & {
        "outside_population",
        "population_unknown",
    }
    assert found == ({code} if code else set())


def test_scores_of_function_and_unconfirmed_points_say_so() -> None:
    for name, score in SCORES.items():
        codes = _codes(apply(score, {}))
        assert ("function_not_bleeding" in codes) == (score.predicts == "function")
        assert ("unconfirmed_points" in codes) == (name in {"SITS-SICH", "TAG", "iScore"})


def test_a_measured_interval_widens_the_range_around_the_points() -> None:
    facts = {**facts_of({"nihss": 18, "atrial_fibrillation": 0, "dense_artery": 0}),
             "aspects": Fact(5, 3, 8, measured=True)}  # fmt: skip
    found = apply(SCORES["HTI"], facts)
    assert (found.points, found.low, found.high) == (3, 2, 4)
    assert found.risk is not None
    assert (found.risk.value, found.risk.low, found.risk.high) == (0.346, 0.169, 0.571)
    assert found.measured == ("aspects",)
    assert "uncertain_sign" in _codes(found)


def test_what_the_record_overrules_is_named() -> None:
    found = apply(SCORES["HTI"], {"dense_artery": Fact("no", overruled="yes")})
    assert found.overruled == ("dense_artery",)
    assert found.measured == ()
    assert any("measured yes, the record says no" in note.text for note in found.notes)


def test_race_can_be_left_out() -> None:
    with_it = apply(SCORES["GRASPS"], facts_of({"asian": 1}))
    without = apply(SCORES["GRASPS"], facts_of({"asian": 1}), race=False)
    assert with_it.high - without.high == 9
    assert "race_left_out" in _codes(without)
    assert "asian" not in without.missing


def test_hours_from_onset_say_that_the_onset_is_known() -> None:
    assert _points("ASTRAL", "onset") is None
    assert _points("ASTRAL", "onset", onset_to_admission_hours=2) == 0

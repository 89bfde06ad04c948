from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from hemocast.evaluate.models import (
    FIXED_SENSITIVITY,
    THRESHOLDS,
    Points,
    decision_thresholds,
    evaluate_model,
)
from hemocast.evaluate.models import evaluate_calibration as calibrated
from hemocast.report.figures.calibration import calibration_figure
from hemocast.stats import (
    METRICS,
    Cases,
    Resampling,
    auc_interval,
    categories,
    clopper_pearson,
    confusion,
    measure_calibration,
    predictive_values_at_prevalence,
    roc_curve,
    wilson,
)
from hemocast.stats.cases import ModelCases

FEW = Resampling(100)


def test_headlines_of_independent_scans_are_wilson_and_delong(model: Callable) -> None:
    one = model()
    part = evaluate_model(one, (), FEW)
    assert [name for name, _ in part.metrics] == list(METRICS)
    cells = confusion(one.cases, 0.5)
    assert part.confusion == cells
    sensitivity = part["sensitivity"]
    assert (sensitivity.ci_low, sensitivity.ci_high) == wilson(cells.tp, cells.tp + cells.fn)
    exact, drawn = part.intervals["sensitivity"]
    assert (exact.ci_low, exact.ci_high) == clopper_pearson(cells.tp, cells.tp + cells.fn)
    assert drawn.ci_method.startswith("bootstrap of patients")
    assert part["auc"] == auc_interval(one.cases)
    assert (part.n, part.n_patients, part.n_patients_positive, part.prevalence) == (
        120,
        120,
        60,
        0.5,
    )


def test_headlines_of_several_scans_are_the_bootstraps_and_the_others_warn(model: Callable) -> None:
    part = evaluate_model(model(scans=2), (), FEW)
    assert part["accuracy"].ci_method == "bootstrap of patients, percentile"
    assert {one.ci_method for one in part.intervals["accuracy"]} == {"Wilson", "Clopper-Pearson"}
    assert all("as independent" in str(one.warning) for one in part.intervals["accuracy"])
    assert (part.n, part.n_patients) == (240, 120)


def test_thresholds_chosen_here_are_called_exploratory(model: Callable) -> None:
    one = model()
    given, youden, sensitive = evaluate_model(one, (), FEW).points
    assert (given.threshold, given.exploratory) == (0.5, False)
    assert youden.exploratory
    assert sensitive.exploratory
    values = dict(sensitive.metrics)
    assert values["sensitivity"].value >= FIXED_SENSITIVITY
    curve = roc_curve(one.cases)
    best = dict(youden.metrics)
    assert best["sensitivity"].value + best["specificity"].value - 1 == pytest.approx(
        (curve.tpr - curve.fpr).max()
    )


def test_thresholds_shares_and_prevalences_of_ones_own_are_looked_at(model: Callable) -> None:
    asked = Points((0.3,), (0.8, 0.95), (0.9, 1.0), (0.07,))
    part = evaluate_model(model(), (), FEW, asked)
    rows = {row.name: row for row in part.points}
    assert list(rows) == [
        "given", "asked for", "Youden index", "sensitivity at least 0.80",
        "sensitivity at least 0.95", "specificity at least 0.90", "specificity at least 1.00",
    ]  # fmt: skip
    assert (rows["asked for"].threshold, rows["asked for"].exploratory) == (0.3, False)
    reached = dict(rows["specificity at least 0.90"].metrics)["specificity"]
    assert reached.value >= 0.9
    assert [row.prevalence for row in part.at_prevalence] == [0.07]


def test_curves_and_predictive_values_are_those_of_the_statistics(model: Callable) -> None:
    one = model()
    part = evaluate_model(one, (), FEW)
    assert part.at_prevalence == predictive_values_at_prevalence(one.cases, 0.5)
    assert part.roc is not None
    assert part.roc.tpr.tolist() == roc_curve(one.cases).tpr.tolist()
    assert part.band is not None
    assert part.decision is not None
    assert part.decision.n_resamples == 100


@pytest.mark.parametrize(
    ("truth", "score", "said"),
    [
        ([1] * 12, np.linspace(0.3, 0.9, 12), "every scan has the outcome"),
        ([0, 1] * 10, np.full(20, 0.5), "all predictions are equal"),
        ([0, 1] * 10, [0.0, 1.0] * 10, "0 and 1 only"),
        ([0, 1, 1], [0.2, 0.7, 0.4], "only 3 scans"),
        ([0] * 30 + [1] * 4, np.linspace(0.1, 0.9, 34), "4 patient(s) of the smaller class"),
    ],
)
def test_what_weakens_a_model_is_said(model: Callable, truth: list, score: list, said: str) -> None:
    one = replace(model(), cases=Cases(truth, score), rows=np.arange(len(truth)))
    part = evaluate_model(one, (), FEW)
    assert said in " ".join(part.warnings)
    if sum(truth) in (0, len(truth)):
        assert (part.points, part.at_prevalence, part.roc, part.band, part.decision) == (
            (), (), None, None, None
        )  # fmt: skip


def test_a_threshold_by_default_is_doubted(model: Callable) -> None:
    part = evaluate_model(replace(model(n=40), threshold_source="default"), (), FEW)
    assert "no threshold was given" in part.warnings[-1]


def test_every_level_has_the_numbers_of_its_scans_alone(model: Callable) -> None:
    one = model(n=160)
    site = np.where(np.arange(160) % 4 < 2, "A", "B")
    (found,) = evaluate_model(one, [categories("site", site)], FEW).subgroups
    assert [(group.name, group.evaluation.n) for group in found.groups] == [("A", 80), ("B", 80)]
    assert dict(found.groups[0].metrics)["auc"] == auc_interval(one.cases.part(site == "A"))
    assert [what for what, _ in found.tests] == ["auc", "calibration_line"]
    assert all(0 <= test.p <= 1 and not test.reason for _, test in found.tests)
    assert found.n_unknown == 0
    pooled = dict(found.pooled())["auc"].mean
    areas = [dict(group.metrics)["auc"].value for group in found.groups]
    assert (pooled.n, min(areas) <= pooled.value <= max(areas)) == (2, True)


def test_unknown_scans_are_a_group_and_counted(model: Callable) -> None:
    site = np.array(["A", "B", "", "A", "B"] * 32)
    (found,) = evaluate_model(model(n=160), [categories("site", site)], FEW).subgroups
    assert found.groups[-1].name == "missing"
    assert "these cases have no value" in str(dict(found.groups[-1].metrics)["auc"].warning)
    assert found.n_unknown == 32


def test_a_small_group_is_left_out_of_the_test_with_the_reason(model: Callable) -> None:
    site = np.array(["A"] * 110 + ["B"] * 10)
    (found,) = evaluate_model(model(), [categories("site", site)], FEW).subgroups
    assert "too small to conclude from" in str(dict(found.groups[1].metrics)["auc"].warning)
    for _, test in found.tests:
        assert np.isnan([test.p, test.p_adjusted]).all()
        assert "B: 5 patients of the smaller class" in test.reason


@pytest.mark.parametrize("values", [["A"] * 120, [""] * 120])
def test_one_group_alone_is_no_grouping(model: Callable, values: list[str]) -> None:
    assert evaluate_model(model(), [categories("site", values)], FEW).subgroups == ()


def test_a_model_that_rated_some_scans_takes_their_levels(model: Callable) -> None:
    one = model().on(np.arange(0, 120, 3))
    site = np.where(np.arange(120) < 60, "A", "B")
    (found,) = evaluate_model(one, [categories("site", site)], FEW).subgroups
    assert [group.evaluation.n for group in found.groups] == [20, 20]


OVERALL = ("mean_predicted_risk", "observed_expected")
LINES = ("calibration_in_the_large", "calibration_slope")
DISTANCES = ("ici", "e50", "e90", "emax")


def cohort(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(0, 1.3, n))
    return rng.random(n) < risk, risk


def test_every_measure_has_limits_and_the_curve_a_band() -> None:
    label, risk = cohort(200)
    part = calibrated(Cases(label, risk), Resampling(100))
    metrics, others = dict(part.metrics), dict(part.others)
    assert list(metrics) == [*OVERALL, *LINES, *DISTANCES]
    assert list(others) == list(LINES)
    plain = measure_calibration(Cases(label, risk))
    assert metrics["calibration_slope"] == plain.slope
    assert metrics["ici"].value == plain.ici.value
    for estimate in metrics.values():
        assert estimate.ci_low < estimate.ci_high
    assert "external validation asks for 100" in str(metrics["ici"].warning)
    assert part.low is not None
    assert part.high is not None
    assert part.at.shape == part.curve.shape == part.low.shape == part.high.shape


def test_scans_of_one_patient_make_the_bootstrap_the_headline() -> None:
    label, risk = cohort(150)
    several = calibrated(Cases(label, risk).part(np.repeat(np.arange(150), 2)), Resampling(100))
    headline = dict(several.metrics)["calibration_slope"]
    other = dict(several.others)["calibration_slope"]
    assert headline.ci_method == "bootstrap of patients, percentile"
    assert other.ci_method == "Wald"
    assert "independent" in str(other.warning)
    # Copies are no new patients.
    assert headline.ci_high - headline.ci_low > 1.2 * (other.ci_high - other.ci_low)


def test_where_resamples_fail_the_values_stay_and_say_why_they_have_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from importlib import import_module

    monkeypatch.setattr(import_module("hemocast.stats.calibration.measures"), "_MIN_USABLE", 1.01)
    label, risk = cohort(60)
    part = calibrated(Cases(label, risk), Resampling(50))
    metrics = dict(part.metrics)
    assert part.low is None
    assert part.at.size == 60
    assert metrics["calibration_slope"].ci_method == "Wald"
    assert np.isnan(metrics["ici"].ci_low)
    assert "no interval: only 50 of 50 resamples" in str(metrics["ici"].warning)


def test_what_has_no_calibration_has_a_reason_and_groups() -> None:
    part = calibrated(Cases(np.arange(20) % 2 == 1, np.arange(20) % 2 / 1.0), Resampling(50))
    assert [name for name, _ in part.metrics] == list(OVERALL)
    assert "exactly 0 or 1" in part.reason
    assert part.groups


def _rare(n: int = 12_820, events: int = 24) -> Cases:
    rng = np.random.default_rng(2)
    risk = expit(rng.normal(-7.2, 1.1, n))
    truth = np.zeros(n, dtype=bool)
    truth[rng.choice(n, events, replace=False, p=risk / risk.sum())] = True
    return Cases(truth, risk)


def test_rare_events_among_many_scans_all_count() -> None:
    cases = _rare()
    part = calibrated(cases, Resampling(100))
    metrics = dict(part.metrics)
    plain = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)
    plain.fit(logit(cases.score)[:, None], cases.truth)
    assert metrics["calibration_slope"].value == pytest.approx(plain.coef_[0, 0], abs=1e-3)
    ratio = metrics["observed_expected"]
    assert ratio.value == pytest.approx(24 / cases.score.sum())
    assert (ratio.ci_low, ratio.ci_high) == pytest.approx(
        tuple(limit / cases.score.mean() for limit in wilson(24, cases.n))
    )
    assert metrics["mean_predicted_risk"].value == pytest.approx(cases.score.mean())
    ici = metrics["ici"]
    assert (ici.n, ici.ci_low) == (12_820, 0)  # the risks are right, and its limits hold that
    assert ici.value <= ici.ci_high < 0.01
    for name in ("calibration_slope", "ici", "observed_expected"):
        assert "24 patients" in str(metrics[name].warning)


def test_what_is_drawn_of_rare_events_is_where_the_risks_are() -> None:
    cases = _rare()
    one = ModelCases("m", cases, np.arange(cases.n), 24 / cases.n, "prevalence")
    grid = decision_thresholds([one])
    assert 0.002 < grid[-1] < 0.1
    assert grid[0] < cases.score.max() / 20
    part = evaluate_model(one, (), FEW, Points(curve=grid))
    assert any("24 patients of the smaller class" in line for line in part.warnings)
    assert any("the share with the outcome" in line for line in part.warnings)
    top = [axes.get_xlim()[1] for axes in calibration_figure(part).axes]
    assert max(top) < 0.1


def test_common_risks_keep_the_whole_scale(model: Callable) -> None:
    assert decision_thresholds([model()]).tolist() == THRESHOLDS.tolist()


def test_a_number_has_one_interval_and_an_exact_one_has_no_notes_of_resamples() -> None:
    truth = np.r_[np.ones(12), np.zeros(60)]
    score = np.r_[np.linspace(0.6, 0.9, 12), np.linspace(0.1, 0.7, 60)]
    one = ModelCases("m", Cases(truth, score), np.arange(72), 0.5, "column")
    part = evaluate_model(one, [categories("site", ["A", "B"] * 36)], FEW)
    assert part["sensitivity"].warning is None  # all 12 are found, in every resample too
    assert "all resamples agree" in str(part.intervals["sensitivity"][-1].warning)
    assert dict(part.points[0].metrics)["sensitivity"] == part["sensitivity"]
    (found,) = part.subgroups
    assert dict(found.groups[0].metrics)["specificity"].ci_method == "Wilson"
    assert part.decision is not None
    assert "12 patients" in str(part.decision.notes[0])
    assert "no case is at or above" in str(part.decision.notes[-1])

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.evaluate.models import FIXED_SENSITIVITY, evaluate_model
from hemocast.stats import (
    METRICS,
    Cases,
    Resampling,
    auc_interval,
    clopper_pearson,
    confusion,
    predictive_values_at_prevalence,
    roc_curve,
    wilson,
)

FEW = Resampling(100)


def test_headlines_of_independent_scans_are_wilson_and_delong(model: Callable) -> None:
    one = model()
    part = evaluate_model(one, FEW)
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
    part = evaluate_model(model(scans=2), FEW)
    assert part["accuracy"].ci_method == "bootstrap of patients, percentile"
    assert {one.ci_method for one in part.intervals["accuracy"]} == {"Wilson", "Clopper-Pearson"}
    assert all("as independent" in str(one.warning) for one in part.intervals["accuracy"])
    assert (part.n, part.n_patients) == (240, 120)


def test_thresholds_chosen_here_are_called_exploratory(model: Callable) -> None:
    one = model()
    given, youden, sensitive = evaluate_model(one, FEW).points
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


def test_curves_and_predictive_values_are_those_of_the_statistics(model: Callable) -> None:
    one = model()
    part = evaluate_model(one, FEW)
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
    part = evaluate_model(one, FEW)
    assert said in " ".join(part.warnings)
    if sum(truth) in (0, len(truth)):
        assert (part.points, part.at_prevalence, part.roc, part.band, part.decision) == (
            (), (), None, None, None
        )  # fmt: skip


def test_a_threshold_by_default_is_doubted(model: Callable) -> None:
    part = evaluate_model(replace(model(n=40), threshold_source="default"), FEW)
    assert "no threshold was given" in part.warnings[-1]

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.evaluate.comparisons import (
    MOST_MODELS,
    Margin,
    compare_models,
    compare_with_reference,
)
from hemocast.stats import (
    Cases,
    Resampling,
    delong_test,
    holm,
    mcnemar_exact,
    noninferior_auc,
    noninferior_share,
)
from hemocast.stats.cases import ModelCases

FEW = Resampling(100)


def pair_of(a: ModelCases, b: ModelCases) -> Cases:
    return Cases(a.cases.truth, [a.cases.score, b.cases.score], a.cases.patient)


def test_a_pair_has_the_statistics_own_numbers(model: Callable) -> None:
    a, b = model("a"), model("b", seed=1, noise=1.5)
    rows = {(row.metric, row.method): row for row in compare_models([a, b], FEW)}
    told = delong_test(pair_of(a, b))
    area = rows["auc", "paired DeLong"]
    assert (area.first, area.second) == ("a", "b")
    assert (area.difference.value, area.difference.ci_low, area.p) == pytest.approx(
        (told.difference, told.ci_low, told.p)
    )
    right = [(one.cases.score >= 0.5) == one.cases.truth for one in (a, b)]
    exact = rows["accuracy", "exact McNemar"]
    assert exact.p == mcnemar_exact(*right).p
    assert exact.difference.value == pytest.approx(right[0].mean() - right[1].mean())
    assert "only the first right in" in str(exact.difference.warning)
    assert rows["brier", "paired bootstrap of patients"].difference.ci_low < 0


def test_scans_of_one_patient_have_tests_that_count_patients(model: Callable) -> None:
    methods = {
        row.method
        for row in compare_models([model("a", scans=2), model("b", scans=2, seed=1)], FEW)
    }
    assert methods == {
        "paired DeLong, clustered by patient", "paired bootstrap of patients",
        "exact McNemar, signs of whole patients turned",
    }  # fmt: skip


def test_few_patients_are_said_beside_every_test(model: Callable) -> None:
    rows = compare_models([model("a", n=16), model("b", n=16, seed=1)], FEW)
    said = {row.method: str(row.difference.warning) for row in rows if row.metric != "accuracy"}
    assert "rests on 8 patients" in said["paired DeLong"]
    assert "rests on 8 patients" in said["exact McNemar"]


def test_only_shared_scans_are_compared_and_it_is_said(model: Callable) -> None:
    a, b = model("a"), model("b", seed=1)
    half = replace(b, cases=b.cases.part(np.arange(40, 120)), rows=np.arange(40, 120))
    found = compare_models([a, half], FEW)
    assert {row.difference.n for row in found if row.method == "paired DeLong"} == {80}
    assert all("on the 80 scans that both rated" in str(row.difference.warning) for row in found)
    apart = replace(b, rows=b.rows + 1000)
    (nothing,) = compare_models([a, apart], FEW)
    assert (nothing.p, nothing.difference.warning) == (None, "no scan was rated by both models")


def test_equal_models_have_no_test_and_say_so(model: Callable) -> None:
    found = compare_models([model("a"), model("b")], FEW)
    area = next(row for row in found if row.metric == "auc")
    assert area.p is None
    assert "no variance between them" in str(area.difference.warning)


def test_p_values_are_adjusted_within_each_metric_and_method(model: Callable) -> None:
    models = [model(name, seed=seed, noise=1 + seed) for seed, name in enumerate("abc")]
    rows = [row for row in compare_models(models, FEW) if row.method == "paired DeLong"]
    assert [row.p_holm for row in rows] == pytest.approx(holm([row.p for row in rows]))
    assert [(row.first, row.second) for row in rows] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_many_models_are_compared_with_the_first_alone(model: Callable) -> None:
    models = [model(f"m{k}", n=20, seed=k) for k in range(MOST_MODELS + 1)]
    assert {row.first for row in compare_models(models, FEW)} == {"m0"}


def test_every_model_but_the_reference_is_held_against_it(model: Callable) -> None:
    models = [model(name, seed=seed) for seed, name in enumerate("abc")]
    found = compare_with_reference(models, Margin("b", 0.1))
    assert [(row.first, row.second) for row in found] == [("a", "b"), ("c", "b")]
    told = noninferior_auc(pair_of(models[0], models[1]), 0.1)
    assert (found[0].p, found[0].difference.ci_low) == (told.p, told.difference.ci_low)
    assert [row.p_holm for row in found] == pytest.approx(holm([row.p for row in found]))
    tied = compare_with_reference([models[0], replace(models[0], name="d")], Margin("d", 0.1))
    assert (tied[0].p, np.isnan(tied[0].difference.value)) == (None, True)


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "specificity"])
def test_a_share_of_right_decisions_has_a_margin_too(model: Callable, metric: str) -> None:
    new, old = model("new"), model("old", seed=1, noise=1.5)
    (found,) = compare_with_reference([new, old], Margin("old", 0.1, metric))
    truth = new.cases.truth
    among = {"accuracy": truth | True, "sensitivity": truth, "specificity": ~truth}[metric]
    right = [((one.cases.score >= 0.5) == truth)[among] for one in (new, old)]
    told = noninferior_share(*right, 0.1)
    assert (found.metric, found.p) == (metric, told.p)
    assert found.method == "non-inferiority by Tango's score; margin 0.1"
    assert (found.difference.value, found.difference.ci_low) == (
        told.difference.value,
        told.difference.ci_low,
    )
    assert "non-inferiority" in str(found.difference.warning)


def test_shares_of_patients_with_several_scans_have_no_test(model: Callable) -> None:
    models = [model("new", scans=2), model("old", scans=2, seed=1)]
    (found,) = compare_with_reference(models, Margin("old", 0.1, "sensitivity"))
    assert (found.p, np.isnan(found.difference.value)) == (None, True)
    assert "one scan of each patient" in str(found.difference.warning)

import numpy as np
import pytest
from scipy.special import expit

from hemocast.errors import StatisticsError
from hemocast.stats import (
    Cases,
    Estimate,
    Resampling,
    analyse_subgroups,
    bands,
    categories,
    evaluate,
    holm,
)
from hemocast.stats.subgroups.analyse import MISSING


def cohort(n: int = 240, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, n * 3 // 4, n)
    true_logit = rng.normal(0, 1.5, n)
    return {
        "label": rng.random(n) < expit(true_logit),
        "probability": expit(true_logit),
        "patient": patient,
        "sex": np.where(patient % 2 == 0, "F", "M"),
        "age": 40 + patient % 50,
    }


def analyse(data: dict, *variables) -> tuple:
    return analyse_subgroups(
        Cases(data["label"], data["probability"], data["patient"]),
        0.5,
        variables,
        resampling=Resampling(200),
    )


def test_groups_hold_all_cases_and_their_own_metrics() -> None:
    data = cohort()
    (result,) = analyse(data, categories("sex", data["sex"]))
    assert [one.name for one in result.groups] == ["F", "M"]
    assert sum(one.evaluation.n for one in result.groups) == 240
    women = data["sex"] == "F"
    expected = evaluate(
        Cases(data["label"][women], data["probability"][women], data["patient"][women]),
        0.5,
        resampling=Resampling(200),
    )
    assert result.groups[0].evaluation["auc"] == expected["auc"]
    assert result.groups[0].warning is None
    assert result.auc_interaction.df == 1
    assert result.calibration_interaction.df == 2


def test_order_of_rows_changes_nothing() -> None:
    data = cohort()
    mixed = {
        name: values[np.random.default_rng(1).permutation(240)] for name, values in data.items()
    }
    (first,) = analyse(data, categories("sex", data["sex"]))
    (second,) = analyse(mixed, categories("sex", mixed["sex"]))
    assert second.auc_interaction.statistic == pytest.approx(first.auc_interaction.statistic)
    assert second.calibration_interaction.p == pytest.approx(first.calibration_interaction.p)


def test_p_values_are_adjusted_over_the_variables() -> None:
    data = cohort()
    site = np.random.default_rng(2).choice(["north", "south", "west"], 240)
    results = analyse(
        data, categories("sex", data["sex"]), bands("age", data["age"], [60, 75]),
        categories("site", site), categories("all alike", ["x"] * 240),
    )  # fmt: skip
    tests = [one.auc_interaction for one in results]
    assert [test.p_adjusted for test in tests[:3]] == pytest.approx(
        list(holm([test.p for test in tests[:3]]))
    )
    assert np.isnan(tests[3].p_adjusted)
    assert "fewer than two groups" in str(tests[3].warning)


def test_small_groups_are_warned_of_and_shown_but_not_tested() -> None:
    data = cohort()
    site = np.where(np.arange(240) < 8, "tiny", "large")
    (result,) = analyse(data, categories("site", site))
    assert result.groups[1].name == "tiny"
    assert "too small" in str(result.groups[1].warning)
    assert result.auc_interaction.groups == ("large",)
    assert "tiny" in result.auc_interaction.left_out[0]
    only = np.flatnonzero(data["label"])[:5]
    site = np.isin(np.arange(240), only)
    (result,) = analyse(data, categories("one class", site))
    assert "0 patients of the smaller class" in str(result.groups[1].warning)
    assert np.isnan(result.groups[1].evaluation["auc"].value)


@pytest.mark.parametrize("nothing", [None, float("nan"), "", "n/a", "  "])
def test_missing_values_are_a_group_of_their_own_and_said_so(nothing: object) -> None:
    data = cohort()
    sex = [nothing if row < 60 else value for row, value in enumerate(data["sex"])]
    variable = categories("sex", sex)
    assert variable.order == ("F", "M", MISSING)
    (result,) = analyse(data, variable)
    assert result.groups[-1].evaluation.n == 60
    assert "no value" in str(result.groups[-1].warning)
    assert bands("age", [nothing, 50, 70], [60]).values == (MISSING, "<60", ">=60")


def test_bands_hold_their_lower_edge() -> None:
    variable = bands("hours from onset", [0, 4.4, 4.5, "5", 23.9, 24], [4.5, 24])
    assert variable.values == ("<4.5", "<4.5", *["4.5 to <24"] * 3, ">=24")
    assert variable.order == ("<4.5", "4.5 to <24", ">=24")
    with pytest.raises(StatisticsError, match="edges of age"):
        bands("age", [1], [60, 60])
    with pytest.raises(StatisticsError, match="value of age is no number"):
        bands("age", ["old"], [60])


def test_none_is_a_treatment() -> None:
    assert categories("treatment", ["none", "thrombolytic"]).order == ("none", "thrombolytic")


def test_a_variable_has_a_value_for_every_case() -> None:
    data = cohort()
    with pytest.raises(StatisticsError, match="240 cases and 3 values of sex"):
        analyse(data, categories("sex", ["F", "M", "F"]))


def test_calibration_of_sites_is_pooled_with_a_range_for_another_site() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(-0.5, 1.5, 4000)
    site = rng.integers(0, 8, 4000)
    shift = np.linspace(-0.8, 0.8, 8)[site]
    truth = rng.random(4000) < expit(logits + shift)
    cases = Cases(truth, expit(logits), np.arange(4000))
    names = categories("site", [f"S{one}" for one in site])
    (found,) = analyse_subgroups(cases, 0.4, [names], Resampling(100))
    pooled = dict(found.pooled())
    large, slope = pooled["calibration_in_the_large"], pooled["calibration_slope"]
    assert abs(large.mean.value) < 0.25
    assert large.tau == pytest.approx(np.std(np.linspace(-0.8, 0.8, 8), ddof=1), abs=0.12)
    assert large.prediction
    assert large.prediction.low < -0.8
    assert large.prediction.high > 0.8
    assert slope.mean.ci_low < 1 < slope.mean.ci_high
    assert slope.p > 0.01
    # As statsmodels pools them, by Paule and Mandel too.
    sites = [dict(one.line)["calibration_in_the_large"] for one in found.groups]
    theirs = pytest.importorskip("statsmodels.stats.meta_analysis").combine_effects(
        np.array([one.value for one in sites]), np.array([_variance(one) for one in sites]),
        method_re="iterated", use_t=True, atol=1e-12, maxiter=1000,
    )  # fmt: skip
    assert large.mean.value == pytest.approx(theirs.mean_effect_re, abs=1e-6)
    assert large.tau**2 == pytest.approx(theirs.tau2, abs=1e-6)


def _variance(value: Estimate) -> float:
    return ((value.ci_high - value.ci_low) / 2 / 1.959963984540054) ** 2

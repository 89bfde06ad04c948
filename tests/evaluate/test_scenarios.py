"""What scans that were left out could change, from the tables on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from hemocast.evaluate.inputs.outcomes import FollowUp
from hemocast.evaluate.result import EvaluationResult, Scenario
from hemocast.evaluate.run import EvaluationOptions, Tables, evaluate_inputs, read_inputs
from hemocast.evaluate.scenarios import incidence_of
from hemocast.stats import Cases, Resampling, auc
from hemocast.stats.incidence import CENSORED


def evaluated(folder: Path, rows: list[str], labels: list[str]) -> EvaluationResult:
    head = "participant_id,scan_id,probability,threshold,status,code"
    (folder / "p.csv").write_text("\n".join([head, *rows]) + "\n")
    head = "participant_id,label,outcome_status,ht_detected_hours,last_imaging_hours,death_hours"
    (folder / "l.csv").write_text("\n".join([head, *labels]) + "\n")
    found = read_inputs(Tables(folder / "p.csv", labels=folder / "l.csv"))
    options = EvaluationOptions(resampling=Resampling(100))
    return evaluate_inputs(found, options, lambda stage, done, total: None)


def scenarios(result: EvaluationResult) -> dict[str, Scenario]:
    return {one.name: one for one in result.models[0].scenarios}


def test_refused_scans_are_counted_as_errors_by_hand(tmp_path: Path) -> None:
    """8 scans judged, 6 of them rightly; refused are 2 with HT and 1 without, and 1 of no label."""
    score = [0.9, 0.8, 0.6, 0.2, 0.7, 0.3, 0.2, 0.1]
    rows = [f"p{k},s{k},{value},0.5,done," for k, value in enumerate(score)]
    rows += [f"q{k},t{k},,,refused,HC303" for k in range(4)]
    labels = [f"p{k},{int(k < 4)},,,," for k in range(8)]
    labels += [f"q{k},{label},,,," for k, label in enumerate((1, 1, 0, "n/a"))]
    result = evaluated(tmp_path, rows, labels)
    (counted,) = result.models[0].left_out
    assert (counted.reason, counted.n, counted.n_positive, counted.mean_risk) == (
        "HC303",
        4,
        2,
        None,
    )
    found = scenarios(result)
    wrong = dict(found["refused scans counted as wrong"].metrics)
    right = dict(found["refused scans counted as right"].metrics)
    assert (wrong["sensitivity"].value, right["sensitivity"].value) == (3 / 6, 5 / 6)
    assert (wrong["specificity"].value, right["specificity"].value) == (3 / 5, 4 / 5)
    won = auc(Cases([1] * 4 + [0] * 4, score)) * 16
    assert wrong["auc"].value == pytest.approx(won / 30)
    assert right["auc"].value == pytest.approx((won + 2 * 5 + 4) / 30)
    assert "without a label, in neither count: 1" in str(wrong["auc"].warning)
    assert result.models[0]["sensitivity"].value == 3 / 4, "the main results leave them out"


@pytest.fixture(scope="module")
def seldom_seen(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    """Of 500 patients those of low risk are seldom scanned again; some die."""
    rng = np.random.default_rng(5)
    level = rng.normal(-0.8, 1.3, 500)
    truth, seen = rng.random(500) < expit(level), rng.random(500) < expit(1 + 0.8 * level)
    reason = rng.choice(["no_later_scan", "death", "lost"], 500)
    hours = rng.uniform(20, 90, 500).round(1)
    rows = [f"p{k:03d},s{k},{expit(one):.5f},0.3,done," for k, one in enumerate(level)]
    labels = [
        f"p{k:03d},{int(truth[k])},,{hours[k] if truth[k] else ''},{hours[k]},"
        if seen[k]
        else f"p{k:03d},n/a,{reason[k]},,,{hours[k] if reason[k] == 'death' else ''}"
        for k in range(500)
    ]
    return evaluated(tmp_path_factory.mktemp("seen"), rows, labels)


def test_unobserved_outcomes_are_counted_bounded_and_weighted(
    seldom_seen: EvaluationResult,
) -> None:
    model = seldom_seen.models[0]
    assert {one.reason for one in model.left_out} == {"no_later_scan", "death", "lost"}
    n = sum(one.n for one in model.left_out)
    assert n + model.n == 500
    assert f"the outcome of {n} scan(s) was never observed" in " ".join(seldom_seen.notes)
    found = {name: dict(one.metrics) for name, one in scenarios(seldom_seen).items()}
    assert [*found] == [
        "not observed: worst case", "not observed: best case", "not observed: none had HT",
        "not observed: all had HT", "not observed: weighted",
        "death counted as no HT, the others weighted", "death as a competing event, until 88 h",
    ]  # fmt: skip
    for metric in ("auc", "sensitivity", "specificity"):
        worst, best = (
            found[f"not observed: {end} case"][metric].value for end in ("worst", "best")
        )
        for name in ("none had HT", "all had HT"):
            assert worst <= found[f"not observed: {name}"][metric].value <= best
        assert worst < model[metric].value < best
    ratio = found["not observed: weighted"]["observed_expected"]
    assert ratio.ci_low < 1 < ratio.ci_high
    plain = dict(model.calibration.metrics)["mean_predicted_risk"].value
    assert plain > 0.37, "those of high risk are seen more often"


def test_death_counts_as_a_competing_event(seldom_seen: EvaluationResult) -> None:
    found = seldom_seen.incidence
    assert found is not None
    assert [hour for hour, _ in found.chances[:-1]] == [24, 48, 72]
    assert found.curve.n_competing == sum(
        one.n for one in seldom_seen.models[0].left_out if one.reason == "death"
    )
    assert found.n_unknown > 0
    hour, chance = found.chances[-1]
    assert chance == found.curve.at(hour)
    assert incidence_of(None) is None
    censored = FollowUp(np.array([5.0, 9.0]), np.array([CENSORED, CENSORED]), 1)
    assert incidence_of(censored) is None


def test_deaths_alone_need_no_weights(tmp_path: Path) -> None:
    rows = [f"p{k},s{k},{0.05 + 0.02 * k:.2f},0.4,done," for k in range(40)]
    labels = [f"p{k},{'n/a,death' if k % 8 == 0 else f'{k % 2},'},,," for k in range(40)]
    found = scenarios(evaluated(tmp_path, rows, labels))
    counted = found["death counted as no HT"]
    assert (counted.n, counted.n_positive) == (40, 20)
    assert "death as a competing event" not in " ".join(found)

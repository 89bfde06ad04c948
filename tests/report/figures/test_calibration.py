"""Calibration: the curve, the groups, and where the cases lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.evaluate.result import ModelPart
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
from hemocast.report.figures.calibration import calibration_figure
from hemocast.stats import Cases, Estimate, Resampling


@pytest.fixture(scope="module")
def model(cases: tuple[np.ndarray, np.ndarray], tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("calibration")
    rows = [f"p{i},s{i},{int(a)},{b}" for i, (a, b) in enumerate(zip(*cases, strict=True))]
    table = "\n".join(["participant_id,scan_id,label,probability", *rows])
    (folder / "p.csv").write_text(table)
    options = EvaluationOptions(resampling=Resampling(100))
    return evaluate_files(Tables(folder / "p.csv"), folder / "out", options=options).models[0]


def test_what_was_measured_is_written_into_it(model: ModelPart, check_figure: Callable) -> None:
    words = check_figure(lambda simulated: calibration_figure(model, simulated=simulated))
    known = dict(model.calibration.metrics)
    assert f"slope {known['calibration_slope'].value:.2f} (" in words
    assert f"ICI {known['ici'].value:.3f} (" in words
    for said in ("loess curve, 95 % band", "groups of equal size, 95 % CI", "no HT"):
        assert said in words


def test_without_a_curve_the_groups_remain(model: ModelPart, check_figure: Callable) -> None:
    none = np.empty(0)
    bare = replace(model.calibration, metrics=(), at=none, curve=none, low=None, high=None)
    words = check_figure(
        lambda simulated: calibration_figure(replace(model, calibration=bare), simulated=simulated)
    )
    assert "loess" not in words
    assert "slope" not in words
    assert "groups of equal size" in words


def _counted(model: ModelPart) -> tuple[float, float]:
    heights = [bar.get_height() for bar in calibration_figure(model).axes[1].patches]
    return sum(h for h in heights if h > 0), -sum(h for h in heights if h < 0)


def test_the_histogram_counts_every_scan_once(model: ModelPart) -> None:
    assert _counted(model) == (model.n_positive, model.n - model.n_positive)


def test_small_risks_keep_their_digits_and_the_rare_class_its_room(
    model: ModelPart, check_figure: Callable
) -> None:
    rng = np.random.default_rng(0)
    cases = Cases(np.arange(3000) < 12, rng.uniform(0.001, 0.02, 3000))
    known = Estimate(0.00052, 0.0, 0.00141, "bootstrap", 3000)
    rare = replace(
        model,
        cases=cases,
        calibration=replace(model.calibration, metrics=(("ici", known),), groups=()),
    )
    words = check_figure(lambda simulated: calibration_figure(rare, simulated=simulated))
    assert "ICI 0.00052 (" in words
    low, high = calibration_figure(rare).axes[1].get_ylim()
    assert high > 0.3 * -low
    assert "last bar" not in words
    score = cases.score.copy()
    score[0] = 0.9
    far = replace(rare, cases=Cases(cases.truth, score))
    words = check_figure(lambda simulated: calibration_figure(far, simulated=simulated))
    assert "(last bar: all above, too)" in words
    assert _counted(far) == (12, 2988), "the highest risks are not left out"

"""What a prediction says about itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.errors import NotFinite


@pytest.fixture(scope="module")
def prediction(save, tmp_path_factory, make_stack):
    model = save(tmp_path_factory.mktemp("models") / "tiny")
    return model.predict_stack(make_stack(3), scan_id="abc")


def test_it_is_positive_from_the_threshold_on(prediction) -> None:
    for probability, positive in ((0.39, False), (0.4, True), (0.41, True)):
        assert replace(prediction, probability=probability, threshold=0.4).positive is positive


def test_its_text_is_one_line_without_arrays(prediction) -> None:
    said = repr(replace(prediction, probability=0.256, probability_interval=(0.1, 0.4)))
    assert said.startswith("Prediction(abc: 26% (calibration 10% to 40%), ")
    assert said.endswith("not for clinical use)")
    assert "\n" not in said
    assert len(said) < 150


def test_a_model_says_in_one_line_what_it_is(save, tmp_path) -> None:
    said = repr(save(tmp_path / "m"))
    assert said.startswith("Model(tiny 0.1, ctnet3d, 80 training patients, demonstration model")
    assert "\n" not in said


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_there_is_no_prediction_that_is_no_number(prediction, bad) -> None:
    heatmap = prediction.heatmap.copy()
    heatmap[3, 20, 20] = bad
    for changes in (
        {"logit": bad},
        {"probability": bad},
        {"probability_interval": (0.1, bad)},
        {"threshold": bad},
        {"heatmap": heatmap},
    ):
        with pytest.raises(NotFinite, match="HC504"):
            replace(prediction, **changes)
    assert np.isfinite(prediction.heatmap).all()


def test_a_risk_moves_with_the_prevalence_as_a_whole_calibration_does(prediction) -> None:
    """At 10 % in place of 50 %, odds of 3 become a third: 25 %."""
    one = replace(prediction, probability=0.75, prevalence=0.5)
    assert one.probability_at(0.1) == pytest.approx(0.25)
    assert one.probability_at(0.5) == pytest.approx(0.75)
    for now, there in ((None, 0.1), (0.5, 1.0), (0.5, 0.0), (1.0, 0.1)):
        with pytest.raises(ValueError, match="prevalences"):
            replace(one, prevalence=now).probability_at(there)

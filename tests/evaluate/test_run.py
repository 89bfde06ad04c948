from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.errors import UsageError
from hemocast.evaluate.inputs.predictions import PredictionTable
from hemocast.evaluate.inputs.read import Inputs
from hemocast.evaluate.run import EvaluationOptions, evaluate_inputs
from hemocast.stats import Resampling, categories
from hemocast.stats.cases import ModelCases

OPTIONS = EvaluationOptions(resampling=Resampling(100))


def inputs(*models: ModelCases, n_refused: int = 0, unused: tuple[str, ...] = ()) -> Inputs:
    cases = models[0].cases
    names = np.array([f"s{i}" for i in range(cases.n)], dtype=object)
    site = categories("site", ["A", "B"] * (cases.n // 2))
    table = PredictionTable(
        names, names, cases.patient, cases.truth, models, (site,), unused, True, n_refused
    )
    return Inputs(table, None, None)


def test_models_subgroups_and_comparisons_in_one_pass(model: Callable) -> None:
    told: list[tuple[str, int, int]] = []
    found = inputs(model("a"), model("b", seed=1), n_refused=2, unused=("x: the same",))
    result = evaluate_inputs(found, OPTIONS, lambda *stage: told.append(stage))
    assert [part.name for part in result.models] == ["a", "b"]
    assert {row.model for row in result.subgroups} == {"a", "b"}
    assert {row.first for row in result.comparisons} == {"a"}
    assert told == [("models", 0, 2), ("models", 1, 2), ("models", 2, 2)]
    assert result.simulated
    assert result.readers is None
    assert "2 row(s) without a prediction" in result.notes[0]
    assert result.notes[1] == "columns that give no subgroups: x: the same"


def test_models_of_different_scans_are_noted(model: Callable) -> None:
    part = model("b", seed=1).on(np.arange(50))
    result = evaluate_inputs(inputs(model("a"), part), OPTIONS, lambda *_: None)
    assert "different numbers of scans" in result.notes[0]


def test_a_reference_adds_a_test_of_non_inferiority(model: Callable) -> None:
    options = replace(OPTIONS, reference="a", margin=0.1)
    found = inputs(model("a"), model("b", seed=1))
    last = evaluate_inputs(found, options, lambda *_: None).comparisons[-1]
    assert (last.first, last.second) == ("b", "a")
    assert last.method.startswith("non-inferiority")


def test_options_that_do_not_fit_are_refused(model: Callable) -> None:
    models = (model("a"), model("b"))
    replace(OPTIONS, reference="a", margin=0.1).check(models)
    for options, among in (
        (replace(OPTIONS, margin=0.1), models),
        (replace(OPTIONS, reference="a"), models),
        (replace(OPTIONS, reference="c", margin=0.1), models),
        (replace(OPTIONS, reference="a", margin=0.0), models),
        (replace(OPTIONS, reference="a", margin=0.1), models[:1]),
    ):
        with pytest.raises(UsageError):
            options.check(among)

from collections.abc import Callable

import pytest

from hemocast.evaluate.models import evaluate_model
from hemocast.evaluate.result import EvaluationResult
from hemocast.stats import Resampling


def test_a_model_is_asked_by_the_names_of_its_metrics(model: Callable) -> None:
    part = evaluate_model(model(n=40, scans=2), (), Resampling(100))
    assert part["brier"] == dict(part.metrics)["brier"]
    assert (part.n, part.n_patients, part.n_positive, part.n_patients_positive) == (80, 40, 40, 20)
    assert part.label.tolist() == part.cases.truth.tolist()
    assert part.probability.tolist() == part.cases.score.tolist()
    with pytest.raises(KeyError):
        _ = part["ici"]


def test_an_empty_result_says_nothing_of_models() -> None:
    found = EvaluationResult(models=())
    assert (found.comparisons, found.readers, found.notes) == ((), None, ())
    assert found.resampling == Resampling()

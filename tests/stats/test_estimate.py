import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.stats import Estimate
from hemocast.stats.estimate import as_labels, as_patients, as_scores

NAN = float("nan")


def test_a_missing_number_must_give_its_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Estimate(NAN, NAN, NAN, "none", 3)
    with pytest.raises(ValueError, match="reason"):
        Estimate(0.5, NAN, 1.0, "none", 3)
    assert Estimate(NAN, NAN, NAN, "none", 3, "why").warning == "why"


@pytest.mark.parametrize("good", [[0, 1, 1], [False, True, True], [0.0, 1.0, 1.0], ["0", "1", "1"]])
def test_labels_of_any_kind(good: list) -> None:
    assert as_labels(good).tolist() == [False, True, True]


@pytest.mark.parametrize(
    "bad", [[], [[0, 1]], [0, 1, 2], [0, NAN], ["yes", "no"], [None, 1], [0.5, 1]]
)
def test_labels_that_are_none(bad: list) -> None:
    with pytest.raises(StatisticsError) as error:
        as_labels(bad)
    assert error.value.code == "HC601"


def test_scores() -> None:
    assert as_scores([1, 2.5], 2).tolist() == [1.0, 2.5]
    for bad in ([1.0], [1.0, NAN], [1.0, float("inf")], ["a", "b"], [[1.0, 2.0]]):
        with pytest.raises(StatisticsError):
            as_scores(bad, 2)


def test_percentages_are_not_probabilities() -> None:
    with pytest.raises(StatisticsError, match="Divide percentages by 100"):
        as_scores([0.2, 55], 2, probability=True)


def test_patients_are_numbered_by_their_sorted_keys() -> None:
    index, n = as_patients(["b", "a", "b"], 3)
    assert (index.tolist(), n) == ([1, 0, 1], 2)
    with pytest.raises(StatisticsError):
        as_patients(np.arange(4), 3)

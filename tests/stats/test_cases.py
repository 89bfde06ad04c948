import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import StatisticsError
from hemocast.stats import Cases
from hemocast.stats.cases import ModelCases, as_pair

NAN = float("nan")


@pytest.mark.parametrize("good", [[0, 1, 1], [False, True, True], [0.0, 1.0, 1.0], ["0", "1", "1"]])
def test_outcomes_of_any_kind(good: list) -> None:
    assert Cases(good, [0.1, 0.2, 0.3]).truth.tolist() == [False, True, True]


@pytest.mark.parametrize(
    "bad", [[], [[0, 1]], [0, 1, 2], [0, NAN], ["yes", "no"], [None, 1], [0.5, 1]]
)
def test_outcomes_that_are_none(bad: list) -> None:
    with pytest.raises(StatisticsError) as error:
        Cases(bad, [0.5] * len(bad))
    assert error.value.code == "HC601"


def test_scores() -> None:
    assert Cases([0, 1], [1, 2.5]).score.tolist() == [1.0, 2.5]
    for bad in ([1.0], [1.0, NAN], [1.0, float("inf")], ["a", "b"], [[1.0], [2.0]], [[[1.0, 2.0]]]):
        with pytest.raises(StatisticsError):
            Cases([0, 1], bad)
    with pytest.raises(StatisticsError, match="one row per rater"):
        Cases([0, 1], np.empty((0, 2)))


def test_one_of_several_raters_is_named_not_guessed() -> None:
    both = Cases([0, 1], [[1, 2], [3, 4]])
    assert both.rater(1).score.tolist() == [3, 4]
    with pytest.raises(StatisticsError, match="2 raters"):
        _ = both.score


def test_percentages_are_not_probabilities() -> None:
    cases = Cases([0, 1], [0.2, 55])
    assert cases.score.tolist() == [0.2, 55]
    with pytest.raises(StatisticsError, match="Divide percentages by 100"):
        cases.probability()


def test_patients_are_numbered_by_their_sorted_keys() -> None:
    cases = Cases([0, 1, 1], [1, 2, 3], ["b", "a", "b"])
    assert (cases.patient.tolist(), cases.n_patients) == ([1, 0, 1], 2)
    assert cases.clustered
    assert Cases([0, 1], [1, 2], ["b", "a"]).cluster.tolist() == [0, 1]
    with pytest.raises(StatisticsError, match="the patient of every case"):
        Cases([0, 1, 1], [1, 2, 3], np.arange(4))


def test_a_patient_with_scans_of_both_classes_counts_in_both() -> None:
    cases = Cases([0, 1, 1, 0], [1, 2, 3, 4], ["a", "a", "b", "c"])
    assert cases.smaller_class == 2
    assert "2 patients of the smaller class" in str(cases.few)


def test_both_classes_are_a_question_of_the_statistic() -> None:
    one = Cases([1, 1], [0.1, 0.2])
    with pytest.raises(StatisticsError, match="both classes"):
        one.both_classes()
    assert Cases([1, 0, 0], [1, 2, 3]).both_classes() == (1, 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=20), st.data())
def test_a_part_is_the_cases_made_of_those_rows(rows: list, data: st.DataObject) -> None:
    truth, patient = (np.array(column) for column in zip(*rows, strict=True))
    score = np.arange(truth.size, dtype=float)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    if not chosen.any():
        return
    part, alone = (
        Cases(truth, score, patient).part(chosen),
        Cases(truth[chosen], score[chosen], patient[chosen]),
    )
    assert part.truth.tolist() == alone.truth.tolist()
    assert part.score.tolist() == alone.score.tolist()
    assert part.patient.tolist() == alone.patient.tolist()


def test_a_line_says_what_they_are() -> None:
    cases = Cases([0, 1, 1], [1, 2, 3], ["b", "a", "b"])
    assert repr(cases) == "Cases(3 scans of 2 patients, 2 with the outcome, 1 rater)"


def test_a_model_on_the_scans_that_somebody_read_in_their_order() -> None:
    model = ModelCases("m", Cases([0, 1, 1], [0.1, 0.2, 0.3]), np.array([7, 3, 5]), 0.5)
    shared = model.on(np.array([5, 7, 9]))
    assert shared.rows.tolist() == [5, 7]
    assert shared.cases.score.tolist() == [0.3, 0.1]
    with pytest.raises(StatisticsError):
        model.on(np.array([1]))


def test_decisions_are_compared_in_pairs() -> None:
    with pytest.raises(StatisticsError, match="both decisions on every case"):
        as_pair([0, 1], [0, 1, 1])

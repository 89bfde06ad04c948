"""A table of measurements holds what its variables can be, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.measurements import Measurements, Variable
from hemocast.errors import StatisticsError

AF = Variable("af", "binary")
KIND = Variable("kind", "category", ("a", "b"))


@pytest.mark.parametrize(
    ("variable", "cell"),
    [(AF, 2.0), (AF, 0.5), (KIND, 2.0), (KIND, -1.0), (Variable("age", "spline"), np.inf)],
)
def test_a_cell_that_cannot_be_is_refused_by_its_column(variable: Variable, cell: float) -> None:
    with pytest.raises(StatisticsError, match=f"1 cells of {variable.name}"):
        Measurements((variable,), np.array([[0.0], [cell], [np.nan]]))


def test_columns_without_variables_are_refused() -> None:
    with pytest.raises(StatisticsError, match=r"shape \(2, 2\)"):
        Measurements((AF,), np.zeros((2, 2)))


def test_a_part_keeps_its_rows() -> None:
    whole = Measurements((AF, KIND), np.array([[0, 1], [1, 0], [np.nan, 1]]))
    part = whole.part(np.array([2, 0]))
    assert (whole.n, part.n) == (3, 2)
    np.testing.assert_array_equal(part.values, [[np.nan, 1], [0, 1]])

"""Columns of a regression: the same for fitting and predicting, whatever is missing."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.design import ENOUGH_MISSING, IMPUTATIONS, imputed, learn_design
from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Measurements, Variable
from hemocast.errors import StatisticsError


def test_columns_are_named_and_standardised(cohort: Cohort) -> None:
    design = cohort.design
    assert design.names == (
        "age", "age'", "age''", "delay", "af", "syndrome total", "syndrome lacunar", "af missing",
    )  # fmt: skip
    columns = design.columns(cohort.patients)
    known = ~np.isnan(cohort.patients.values[:, 2])
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(columns[:, [0, 3, 5, 7]].std(axis=0), 1)
    assert columns[known, 4].std() == pytest.approx(1)


def test_a_missing_value_takes_the_mean_and_is_marked(cohort: Cohort) -> None:
    values = cohort.patients.values[:1].copy()
    values[0] = np.nan
    (row,) = cohort.design.columns(Measurements(cohort.patients.variables, values))
    np.testing.assert_array_equal(row[:-1], 0)
    assert row[-1] > 0


def test_one_patient_gets_the_columns_that_all_together_get(cohort: Cohort) -> None:
    together = cohort.design.columns(cohort.patients)
    alone = cohort.design.columns(cohort.patients.part(np.array([5])))
    np.testing.assert_array_equal(alone[0], together[5])


def test_too_few_missing_and_twins_get_no_column_of_their_own() -> None:
    values = np.random.default_rng(0).normal(size=(50, 3))
    values[: ENOUGH_MISSING - 1, 0] = np.nan
    values[:ENOUGH_MISSING, 1:] = np.nan
    three = tuple(Variable(name, "linear") for name in "abc")
    assert learn_design(Measurements(three, values)).names == ("a", "b", "c", "b missing")


def test_a_column_without_variation_stays_0() -> None:
    patients = Measurements((Variable("a", "linear"), Variable("b", "binary")), np.ones((20, 2)))
    design = learn_design(patients)
    assert design.varies == ()
    np.testing.assert_array_equal(design.columns(patients), 0)


def test_other_variables_are_refused(cohort: Cohort) -> None:
    other = Measurements((Variable("age", "spline"),), np.array([[70.0]]))
    with pytest.raises(StatisticsError, match="Give age, delay, af, syndrome"):
        cohort.design.columns(other)


def test_imputation_knows_the_outcome_varies_and_repeats(cohort: Cohort) -> None:
    tables = cohort.tables
    lost = np.isnan(cohort.patients.values[:, 2])
    assert len(tables) == IMPUTATIONS
    known = cohort.design.columns(cohort.patients)
    for table in tables:
        np.testing.assert_allclose(table[~lost], known[~lost])
    filled = np.array([table[lost, 4] for table in tables])
    assert filled.std(axis=0).min() > 0
    # Who bled more often had AF: what is filled in must say so, too.
    bled = cohort.outcome[lost] == 1
    assert filled[:, bled].mean() > filled[:, ~bled].mean() + 0.2
    again = imputed(cohort.design, cohort.patients, cohort.outcome)
    np.testing.assert_array_equal(again[0], tables[0])


def test_complete_patients_need_no_imputation(cohort: Cohort) -> None:
    whole = cohort.part(~np.isnan(cohort.patients.values).any(axis=1))
    (table,) = whole.tables
    np.testing.assert_allclose(table, whole.design.columns(whole.patients))


def test_voxels_act_by_few_components_learned_from_the_training_patients() -> None:
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(120, 2))
    voxels = hidden @ rng.normal(size=(2, 300)) + 0.01 * rng.normal(size=(120, 300))
    variables = (
        *(Variable(f"v{i}", "voxel") for i in range(300)), Variable("nihss", "linear"),
    )  # fmt: skip
    patients = Measurements(variables, np.column_stack([voxels, rng.integers(0, 42, 120)]))
    learned = patients.part(np.arange(100))
    design = learn_design(learned)
    assert design.names == ("nihss", *(f"component {i}" for i in range(1, 11)))
    columns = design.columns(patients)
    # The first two hold all that varies, in patients not learned from, too.
    fit, *_ = np.linalg.lstsq(np.column_stack([columns[:100, 1:3], np.ones(100)]), hidden[:100])
    found = np.column_stack([columns[100:, 1:3], np.ones(20)]) @ fit
    np.testing.assert_allclose(found, hidden[100:], atol=0.02)

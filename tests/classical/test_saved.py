"""A saved model gives the same risks, and is refused where its numbers do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.classical.learning import Cohort
from hemocast.classical.logistic import FittedLogistic, learn_ridge
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.saved import DESCRIPTION, About, load_logistic, save_logistic
from hemocast.errors import ModelCorrupt, ModelNotFound, OutputExists, UsageError

ABOUT = About(
    name="record", horizon="14 days", population="ischemic stroke", learned_by="ridge",
    n_patients=800, n_events=180, simulated_training_data=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def model(cohort: Cohort) -> FittedLogistic:
    """Return a fitted ridge."""
    return learn_ridge(cohort)


def test_the_same_risks_come_back(model: FittedLogistic, others: Cohort, tmp_path: Path) -> None:
    save_logistic(model, tmp_path / "m", ABOUT)
    again, about = load_logistic(tmp_path / "m")
    assert about == ABOUT
    np.testing.assert_array_equal(again.risk(others.patients), model.risk(others.patients))
    assert [path.name for path in (tmp_path / "m").iterdir()] == [DESCRIPTION]
    with pytest.raises(OutputExists):
        save_logistic(model, tmp_path / "m", ABOUT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("log_odds: ", "log_odds: .inf #"),
        ("mean: ", "mean: !!python/object/apply:os.system ['true'] #"),
        ("kind: logistic", "kind: other"),
        ("- name: delay\n  mean", "- name: other\n  mean"),
        ("indicators:\n- 2", "indicators:\n- 9"),
        ("kind: spline", "kind: magic"),
        ("", "\x00"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(
    model: FittedLogistic, tmp_path: Path, old: str, new: str
) -> None:
    save_logistic(model, tmp_path / "m", ABOUT)
    path = tmp_path / "m" / DESCRIPTION
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelCorrupt):
        load_logistic(tmp_path / "m")


def test_no_folder_and_voxels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        load_logistic(tmp_path)
    rng = np.random.default_rng(0)
    voxels = tuple(Variable(f"v{i}", "voxel") for i in range(20))
    outcome = (rng.random(100) < 0.4) * 1.0
    seen = Cohort(Measurements(voxels, rng.normal(size=(100, 20))), outcome, np.arange(100))
    with pytest.raises(UsageError, match="voxels"):
        save_logistic(learn_ridge(seen), tmp_path / "m", ABOUT)

"""From tables to scores, and on to an evaluation of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemocast.errors import OutputExists, TableError, UsageError
from hemocast.evaluate.run import EvaluationOptions, Tables, evaluate_inputs, read_inputs
from hemocast.pipeline.score import ScoreTables, choose_scores, score_files
from hemocast.stats import Resampling

pytestmark = pytest.mark.usefixtures("tables_are_listed")


@pytest.fixture(scope="module")
def clinical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of 80 patients: worse ones bleed more often; half have no NIHSS."""
    rng = np.random.default_rng(2)
    nihss = rng.integers(0, 30, 80)
    table = pd.DataFrame(
        {
            "participant_id": [f"p{i:02d}" for i in range(80)],
            "nihss": nihss,
            "age": rng.integers(40, 95, 80),
            "aspects": rng.integers(3, 11, 80),
            "dense_artery": rng.integers(0, 2, 80),
            "atrial_fibrillation": rng.integers(0, 2, 80),
            "treatment": rng.choice(["thrombolytic", "none"], 80),
            "site": rng.choice(["North", "South"], 80),
            "label": (nihss + rng.normal(0, 8, 80) > 18).astype(int),
        }
    )
    path = tmp_path_factory.mktemp("tables") / "clinical.csv"
    table.to_csv(path, index=False)
    return path


def test_scores_by_name_in_any_case() -> None:
    assert [score.name for score in choose_scores(["hti", "HAT", "hti"])] == ["HTI", "HAT"]
    assert len(choose_scores()) == 13
    with pytest.raises(UsageError, match="HAT, HTI"):
        choose_scores(["IST-3"])


def test_what_is_written(clinical: Path, tmp_path: Path) -> None:
    run = score_files(ScoreTables(clinical), tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert len(table) == 80 * 13
    assert list(table.columns[-2:]) == ["site", "label"], "columns of the user's are kept"
    hti = table[table["score"] == "HTI"].set_index("participant_id")
    assert hti["points"].notna().all()
    assert hti.loc["p00", "points"] == next(
        result.points for result in run.scored[0].results if result.score.name == "HTI"
    )
    assert (hti["risk"].isna() == (hti["points"] > 5)).all()
    assert table.loc[table["score"] == "HAT", "points"].isna().all(), "no hypodensity was given"
    assert len(json.loads((tmp_path / "out" / "scores.json").read_text())["patients"]) == 80
    assert not (tmp_path / "out" / "outcomes.csv").exists()


def test_points_and_risks_go_into_an_evaluation(clinical: Path, tmp_path: Path) -> None:
    score_files(ScoreTables(clinical), tmp_path / "s", choose_scores(["HTI", "RICH"]))
    options = EvaluationOptions(resampling=Resampling(100))
    found = {}
    for name in ("ranks", "predictions"):
        tables = Tables(tmp_path / "s" / f"{name}.csv", None, None, None)
        result = evaluate_inputs(read_inputs(tables, None), options, lambda *_: None)
        found[name] = {model.name: model for model in result.models}
    assert set(found["ranks"]) == {"HTI (points)"}, "of RICH every row lacks an item"
    ranks, risks = found["ranks"]["HTI (points)"], found["predictions"]["HTI"]
    assert ranks.n_patients == 80
    assert risks.n_patients < 80, "no risk is published from 6 points on"
    assert 0.5 < ranks["auc"].value < 1
    # The area is that of the points themselves.
    table = pd.read_csv(tmp_path / "s" / "scores.csv")
    hti = table[table["score"] == "HTI"]
    bled, not_ = (hti.loc[hti["label"] == one, "points"].to_numpy() for one in (1, 0))
    pairs = bled[:, None] - not_[None, :]
    assert ranks["auc"].value == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)


def test_outcomes_stand_beside_the_scores(clinical: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "participant_id,label,ht_grade,ht_detected_hours,death_hours\n"
        "p00,1,PH2,20,30\np01,0,none,,\np02,1,HI1,,\n"
    )
    score_files(ScoreTables(clinical, labels=labels), tmp_path / "out")
    found = (tmp_path / "out" / "outcomes.csv").read_text().splitlines()
    assert found[0].startswith("participant_id,any_ht,parenchymal_hematoma,ninds,ecass_ii")
    assert found[2] == "p01,0,0" + ",0" * 5
    assert found[3].startswith("p02,1,0,")
    evaluated = pd.read_csv(tmp_path / "out" / "outcomes.csv")
    assert evaluated["any_ht"].tolist() == [1, 0, 1]


def test_simulated_data_say_so_in_every_table(clinical: Path, tmp_path: Path) -> None:
    table = pd.read_csv(clinical).assign(simulated=1)
    path = tmp_path / "c.csv"
    table.to_csv(path, index=False)
    assert score_files(ScoreTables(path), tmp_path / "out").patients.simulated
    for name in ("scores.csv", "predictions.csv", "ranks.csv"):
        written = pd.read_csv(tmp_path / "out" / name)
        assert written.columns[-1] == "simulated"
        assert (written["simulated"] == 1).all()


def test_a_column_that_would_pass_for_ours_is_refused(clinical: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    pd.read_csv(clinical).assign(points=3).to_csv(path, index=False)
    with pytest.raises(TableError, match="Rename or remove points"):
        score_files(ScoreTables(path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_same_run_replaces_its_own_files_and_nobody_elses(
    clinical: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        score_files(ScoreTables(clinical), tmp_path / "out", choose_scores(["HTI"]))
    (tmp_path / "out" / "scores.csv").write_text("mine\n")
    with pytest.raises(OutputExists):
        score_files(ScoreTables(clinical), tmp_path / "out", choose_scores(["HTI"]))
    assert (tmp_path / "out" / "scores.csv").read_text() == "mine\n"

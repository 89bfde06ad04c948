from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import NothingThere, TableError, UsageError
from hemocast.evaluate.inputs.predictions import PredictionTable
from hemocast.evaluate.models import Points
from hemocast.evaluate.run import EvaluationOptions, Inputs, Tables, evaluate_inputs, read_inputs
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
    assert [one.variable for part in result.models for one in part.subgroups] == ["site", "site"]
    assert {row.first for row in result.comparisons} == {"a"}
    assert told == [("models", 0, 2), ("models", 1, 2), ("models", 2, 2)]
    assert result.simulated
    assert result.readers is None
    assert "2 row(s) without a prediction" in result.notes[0]
    assert result.notes[1] == "columns that give no subgroups: x: the same"


def test_a_primary_endpoint_and_points_of_ones_own_are_kept_to(model: Callable) -> None:
    options = replace(OPTIONS, primary="sensitivity", points=Points(thresholds=(0.3,)))
    result = evaluate_inputs(inputs(model("a"), model("b", seed=1)), options, lambda *_: None)
    assert "named before the numbers were seen: sensitivity" in result.notes[0]
    assert result.primary == "sensitivity"
    assert [part.points[1].threshold for part in result.models] == [0.3, 0.3]
    (first, *_) = result.net_benefits
    assert (first.first, first.second, len(result.net_benefits)) == ("a", "b", 49)
    for wrong in (replace(OPTIONS, primary="luck"), replace(OPTIONS, points=Points((30.0,)))):
        with pytest.raises(UsageError):
            wrong.check((model("a"),))


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
        (replace(OPTIONS, margin_of="sensitivity"), models),
        (replace(OPTIONS, reference="a"), models),
        (replace(OPTIONS, reference="c", margin=0.1), models),
        (replace(OPTIONS, reference="a", margin=0.0), models),
        (replace(OPTIONS, reference="a", margin=0.1), models[:1]),
    ):
        with pytest.raises(UsageError):
            options.check(among)


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_all_tables_are_read_against_each_other(tmp_path: Path) -> None:
    predictions = write(
        tmp_path / "p.csv", "participant_id,scan_id,label,probability,site",
        "sub-1,a,1,0.9,x", "sub-2,b,0,0.2,y",
    )  # fmt: skip
    clinical = write(
        tmp_path / "clinical.tsv", "participant_id\tsex\tsite", "sub-1\tF\tz", "sub-2\tM\tz"
    )
    readings = write(
        tmp_path / "r.csv", "reader_id,participant_id,scan_id,probability,decision,simulated",
        "A,sub-2,b,0.3,0,1",
    )  # fmt: skip
    found = read_inputs(Tables(predictions, readings, clinical), threshold=0.3)
    assert found.predictions.models[0].threshold == 0.3
    # The table's own column comes before that of the same name in the clinical table.
    assert {one.name: one.values for one in found.groupings} == {
        "site": ("x", "y"), "sex": ("F", "M")
    }  # fmt: skip
    assert found.readings is not None
    assert (found.readings.row.tolist(), found.readings.truth.tolist()) == ([1], [False])
    assert found.simulated
    assert Tables(predictions, clinical=clinical).paths == (predictions, clinical)


def test_the_labels_beside_the_clinical_table_serve_where_there_are_none(tmp_path: Path) -> None:
    predictions = write(tmp_path / "p.csv", "participant_id,scan_id,probability", "sub-1,a,0.9")
    with pytest.raises(TableError):
        read_inputs(Tables(predictions))
    clinical = write(tmp_path / "clinical.tsv", "participant_id\tage", "sub-1\t70")
    write(tmp_path / "labels.tsv", "participant_id\tlabel", "sub-1\t1")
    found = read_inputs(Tables(predictions, clinical=clinical))
    assert found.predictions.models[0].cases.truth.tolist() == [True]
    assert not found.simulated


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        read_inputs(Tables(tmp_path / "none.csv"))

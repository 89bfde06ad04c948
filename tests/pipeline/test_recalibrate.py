"""From a table of predictions with outcomes to a model folder that predicts otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import OutputExists, TableError, UsageError
from hemocast.model import Change, load, load_default
from hemocast.pipeline.recalibrate import RecalibrationOptions, recalibrate_files
from hemocast.tables import ReadAs
from hemocast.volume import Stack, StackRecord

HEAD = "participant_id,scan_id,label,probability,logit"


def write(path: Path, n: int = 200, shift: float = -1.5, head: str = HEAD) -> Path:
    """Write predictions of the demonstration model among patients with less HT than it expects."""
    calibration = load_default().description.calibration
    rng = np.random.default_rng(0)
    rows = []
    for i, logit in enumerate(rng.normal(0, 1.5, n)):
        p = calibration.probability(float(f"{logit:.8g}"))
        odds = p / (1 - p) * np.exp(shift)
        label = int(rng.random() < odds / (1 + odds))
        rows.append(f"p{i},s{i},{label},{p:.6f},{logit:.8g}")
    columns = len(head.split(","))
    lines = [head, *(",".join(row.split(",")[:columns]) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_new_folder_predicts_by_the_new_curve_and_says_so(tmp_path: Path) -> None:
    options = RecalibrationOptions(sensitivity=0.8, population="patients of the county hospital")
    done = recalibrate_files(write(tmp_path / "p.csv"), tmp_path / "model", options)
    assert done.change is Change.MOVED
    assert done.observed < done.expected - 0.1
    model, old = load(tmp_path / "model"), load_default()
    assert model.hash != old.hash
    assert (model.description.version, model.description.recalibrated) == ("0.1.0+local", "moved")
    assert model.description.population == "patients of the county hospital"
    assert (tmp_path / "model" / "model.onnx").read_bytes() == old.onnx
    card = (tmp_path / "model" / "card.md").read_text()
    assert "All log odds were moved" in card
    assert "sensitivity of 80%" in card
    assert "holds no longer" in card
    frames = np.zeros((28, 192, 192), np.float32)
    record = StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300.0, 0, 0, 0.0)
    stack = Stack(frames, np.ones(frames.shape, bool), np.diag([1.0, 1, 5, 1]), record)
    new, before = (one.predict_stack(stack, scan_id="s") for one in (model, old))
    assert new.logit == before.logit
    assert new.probability < before.probability
    assert new.label_set in ((0,), (1,), (0, 1))
    assert model.description.calibration.label_sets != old.description.calibration.label_sets


def test_a_table_written_in_another_way_is_read_alike(tmp_path: Path) -> None:
    table = write(tmp_path / "p.csv", head="participant_id,Scan ID,label,probability,Logit")
    table.write_text(table.read_text().replace(",s", ", s"))
    with pytest.warns(ReadAs, match="Logit was read as logit"):
        done = recalibrate_files(table, tmp_path / "model")
    assert done.change is Change.MOVED


def test_labels_may_lie_in_a_table_of_their_own(tmp_path: Path) -> None:
    table = write(tmp_path / "p.csv")
    rows = [line.split(",") for line in table.read_text().splitlines()]
    labels = tmp_path / "labels.csv"
    labels.write_text("scan_id,label\n" + "".join(f"{row[1]},{row[2]}\n" for row in rows[1:]))
    table.write_text("".join(",".join([*row[:2], *row[3:]]) + "\n" for row in rows))
    done = recalibrate_files(table, tmp_path / "model", RecalibrationOptions(labels=labels))
    assert done.change is Change.MOVED


def test_predictions_at_another_prevalence_or_of_another_model_are_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "p.csv")
    lines = table.read_text().splitlines()
    cells = lines[5].split(",")
    lines[5] = ",".join([*cells[:3], "0.123", cells[4]])
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match="not those that this model gives"):
        recalibrate_files(table, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_table_without_logits_is_refused_with_what_to_do(tmp_path: Path) -> None:
    table = write(tmp_path / "p.csv", head=HEAD.removesuffix(",logit"))
    with pytest.raises(TableError, match="predict again"):
        recalibrate_files(table, tmp_path / "model")


@pytest.mark.parametrize("cell", ["", "n/a", "inf", "high"])
def test_a_logit_that_is_no_number_is_refused_by_its_row(tmp_path: Path, cell: str) -> None:
    table = write(tmp_path / "p.csv")
    lines = table.read_text().splitlines()
    lines[3] = ",".join([*lines[3].split(",")[:4], cell])
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(TableError, match="row 4, column logit"):
        recalibrate_files(table, tmp_path / "model")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    with pytest.raises(OutputExists):
        recalibrate_files(write(tmp_path / "p.csv"), tmp_path / "model")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["mine.txt"]


def test_a_recalibrated_model_can_be_told_another_prevalence(tmp_path: Path) -> None:
    done = recalibrate_files(write(tmp_path / "p.csv"), tmp_path / "model")
    calibration = done.model.description.calibration
    there = done.model.at_prevalence(0.05).description.calibration
    assert there.assumed == 0.05
    assert there.probability(0.0) < calibration.probability(0.0)
    assert replace(there.label_sets) == calibration.label_sets

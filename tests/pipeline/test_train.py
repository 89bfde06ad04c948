"""Split by patient, trained on one part, tested on the other, nothing of the test part learnt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hemocast
from hemocast.config import Config
from hemocast.dataset import Dataset
from hemocast.errors import LeakageError, NothingThere
from hemocast.pipeline.train import Purpose, train_and_test


def test_no_patient_is_in_two_parts(model) -> None:
    trained = model.trained
    inner = set(trained.fitted.train_participants) | set(trained.fitted.validation_participants)
    assert inner == set(trained.split.parts["train"])
    assert not inner & {scan.participant_id for scan in trained.test}
    assert trained.receipt["patient_overlap"] == {"train & test": 0}


def test_the_model_folder_is_what_was_trained(model) -> None:
    loaded = hemocast.load(model.folder)
    assert loaded.hash == model.trained.model.hash
    assert loaded.description.training.data_hash == model.trained.fitted.data_hash
    assert loaded.description.simulated_training_data
    assert "not for clinical use" in loaded.description.notice


def test_the_held_out_result_is_written(dataset: Dataset, model) -> None:
    run = dataset.root / "derivatives" / "hemocast" / "runs" / "tiny"
    rows = (run / "test_predictions.tsv").read_text().splitlines()
    assert len(rows) == 1 + len(model.trained.test)
    metrics = json.loads((run / "test_metrics.json").read_text())
    assert metrics["n_patients"] == len({scan.participant_id for scan in model.trained.test})
    assert metrics["metrics"]["auc"]["value"] == model.trained.evaluation["auc"].value


def test_training_again_gives_the_same_model(
    dataset: Dataset, model, config: Config, tmp_path: Path
) -> None:
    """The finished run is read back, and the export is the same."""
    again = train_and_test(
        dataset,
        config,
        tmp_path / "again",
        Purpose("tiny", "HT as simulated", "simulated heads"),
        test_fraction=1 / 3,
    )
    assert np.array_equal(again.probability, model.trained.probability)


def test_a_folder_that_is_no_dataset_is_refused(config: Config, tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="no labels"):
        train_and_test(
            Dataset(tmp_path), config, tmp_path / "m", Purpose("x", "", ""), test_fraction=0.1
        )


def test_a_split_like_the_papers_is_refused_and_its_patients_named(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    patients = sorted(dataset.labels())
    rows = [f"{patient}\ttrain" for patient in patients[:9]]
    rows += [f"{patient}\ttest" for patient in patients[7:]]
    table = tmp_path / "paper.tsv"
    table.write_text("participant_id\tpart\n" + "\n".join(rows) + "\n")
    with pytest.raises(LeakageError) as refusal:
        train_and_test(
            dataset,
            config,
            tmp_path / "m",
            Purpose("x", "", ""),
            test_fraction=0.1,
            split=table,
        )
    assert all(patient in str(refusal.value) for patient in patients[7:9])
    assert not (tmp_path / "m").exists()

"""The search judges by inner validation alone, goes on where it stopped, and writes settings."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig, load_config
from hemocast.dataset import Dataset, split_patients
from hemocast.errors import ConfigError, MissingExtra, OutputExists
from hemocast.files import write_json
from hemocast.pipeline.tune import SETTINGS, TRIALS, TuneOptions, tune
from hemocast.train import STACKS

pytest.importorskip("optuna")

PATIENTS = [f"sub-{i:02d}" for i in range(16)]
CONFIG = Config(
    prepare=PrepareConfig(frames=8, size=64),
    net=NetConfig(pool=2, smooth=3, stem=8, widths=(8,)),
    train=TrainConfig(epochs=4, threads=1, validation_fraction=0.3, batch_size=4),
)
THREE = TuneOptions(trials=3, test_fraction=0.25)


def cohort(root: Path, changed: tuple[str, ...] = ()) -> Dataset:
    """Sixteen patients as stacks, every second with HT; some with other pictures."""
    root.mkdir(parents=True)
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (8, 64, 64)), indexing="ij")
    levels = np.random.default_rng(0).normal(140, 15, (16, *z.shape))
    for patient in changed:
        levels[PATIENTS.index(patient)] /= 2
    np.save(root / STACKS, np.where(z**2 + y**2 + x**2 < 0.8, levels, 0).astype(np.uint8))
    scans = [f"{p}\t{p}_ses-01\t{i}" for i, p in enumerate(PATIENTS)]
    (root / "scans.tsv").write_text("\n".join(["participant_id\tscan_id\trow", *scans]))
    labels = [f"{p}\t{i % 2}" for i, p in enumerate(PATIENTS)]
    (root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]))
    return Dataset(root)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return cohort(tmp_path_factory.mktemp("cohort") / "stacks")


@pytest.fixture(scope="module")
def whole(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "out"
    tune(dataset, CONFIG, out, THREE)
    return out


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / TRIALS).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_train_takes_the_settings_of_the_best_trial(whole: Path) -> None:
    found, trials = load_config(whole / SETTINGS), rows(whole)
    assert [row["trial"] for row in trials] == ["1", "2", "3"]
    assert float(trials[0]["learning_rate"]) == CONFIG.train.learning_rate  # what was given
    best = min(trials, key=lambda row: float(row["validation_loss"]))
    assert best["best"] == "1"
    assert found.train.learning_rate == pytest.approx(float(best["learning_rate"]))
    assert found.net.dropout == pytest.approx(float(best["dropout"]))
    assert (found.train.epochs, found.train.refit) == (4, True)  # a trial alone is short


def test_a_stopped_search_goes_on_to_the_same_result(
    dataset: Dataset, whole: Path, tmp_path: Path
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "trial 2 of 3":
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        tune(dataset, CONFIG, out, TuneOptions(trials=3, test_fraction=0.25, progress=stop))
    assert not (out / SETTINGS).exists()
    stages: set[str] = set()
    again = TuneOptions(3, 0.25, 0.25, progress=lambda stage, done, total: stages.add(stage))
    tune(dataset, CONFIG, out, again)
    assert "trial 1 of 3" not in stages
    assert (out / TRIALS).read_bytes() == (whole / TRIALS).read_bytes()
    assert (out / SETTINGS).read_bytes() == (whole / SETTINGS).read_bytes()


def test_pictures_of_test_patients_change_nothing(
    dataset: Dataset, whole: Path, tmp_path: Path
) -> None:
    labels = {p: i % 2 for i, p in enumerate(PATIENTS)}
    test = split_patients(labels, 0.25, CONFIG.train.seed, name="any").parts["test"]
    other = cohort(tmp_path / "other" / "stacks", changed=test)
    tune(other, CONFIG, tmp_path / "out", TuneOptions(trials=1, test_fraction=0.25))
    assert rows(tmp_path / "out")[0]["validation_loss"] == rows(whole)[0]["validation_loss"]


def test_another_search_and_what_cannot_be_tuned_are_refused(
    dataset: Dataset, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (whole / SETTINGS).read_bytes()
    other = CONFIG.model_copy(update={"train": TrainConfig(seed=1)})
    with pytest.raises(OutputExists):
        tune(dataset, other, whole, THREE)
    assert (whole / SETTINGS).read_bytes() == before
    train = CONFIG.train.model_copy(update={"encoder": "folder"})
    with pytest.raises(ConfigError, match="encoder"):
        tune(dataset, CONFIG.model_copy(update={"train": train}), tmp_path / "x", THREE)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match="optuna"):
        tune(dataset, CONFIG, tmp_path / "x", THREE)
    assert not (tmp_path / "x").exists()

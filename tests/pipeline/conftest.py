"""A small simulated cohort as DICOM, its dataset, and a model trained on it: made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig
from hemocast.dataset import Dataset
from hemocast.dataset.ingest.run import ingest
from hemocast.pipeline.train import Purpose, Trained, TrainOptions, train_and_test
from hemocast.simulate import DEMO, Truth, simulate_cohort

KEY = b"k" * 32
CONFIG = Config(
    prepare=PrepareConfig(size=96, pixel_mm=2),
    net=NetConfig(pool=2, stem=8, widths=(8, 8)),
    train=TrainConfig(epochs=2, threads=1),
)


@pytest.fixture(scope="session")
def key() -> bytes:
    """The pseudonym key of the dataset."""
    return KEY


@pytest.fixture(scope="session")
def config() -> Config:
    """The settings the model was trained with."""
    return CONFIG


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """Six patients with HT and six without, as DICOM."""
    config = DEMO.model_copy(update={"n_ht": 6, "n_non": 6, "seed": 5, "matrix": 128})
    return simulate_cohort(config, tmp_path_factory.mktemp("simulated") / "cohort")


@pytest.fixture(scope="session")
def dataset(cohort: Truth, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The cohort's dataset folder."""
    out = tmp_path_factory.mktemp("dataset") / "cohort"
    ingest([cohort.dicom], out, KEY, labels=cohort.labels, prepare=CONFIG.prepare)
    return Dataset(out)


@dataclass(frozen=True)
class TrainedFolder:
    """A training run and where its model lies."""

    folder: Path
    trained: Trained


@pytest.fixture(scope="session")
def model(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainedFolder:
    """A model after two epochs: good for nothing but real."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    trained = train_and_test(
        dataset,
        CONFIG,
        folder,
        Purpose("tiny", "HT as simulated", "simulated heads"),
        TrainOptions(test_fraction=1 / 3),
    )
    return TrainedFolder(folder, trained)

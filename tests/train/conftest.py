"""Small stacks whose label is easy to see: a dark blob on one side, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.config import Config, NetConfig, TrainConfig
from hemocast.train import StackTable, write_stacks
from hemocast.volume import Stack, StackRecord, from_levels, to_levels

SHAPE = (8, 24, 24)


def _stack(rng: np.random.Generator, label: int) -> Stack:
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    brain = z**2 + y**2 + x**2 < 0.9
    frames = 0.6 + rng.normal(0, 0.05, SHAPE)
    if label:
        side = rng.choice([-1, 1])
        frames -= 0.3 * np.exp(-((x - 0.4 * side) ** 2 + y**2 + z**2) / 0.1)
    return Stack(
        from_levels(to_levels(np.where(brain, frames.clip(0, 1), 0).astype(np.float32))),
        brain,
        np.diag([-8.0, -8.0, 20.0, 1.0]),
        StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300, 0, 0, 0),
    )


@pytest.fixture(scope="session")
def stacks() -> list[Stack]:
    """Return 28 stacks, every second with a lesion."""
    rng = np.random.default_rng(1)
    return [_stack(rng, i % 2) for i in range(28)]


@pytest.fixture(scope="session")
def table(stacks, tmp_path_factory) -> StackTable:
    """Return a table of 24 patients, the first four with two scans each."""
    path = tmp_path_factory.mktemp("stacks") / "stacks.npy"
    write_stacks(stacks, len(stacks), path)
    patients = [f"sub-{i:04d}" for i in [*range(24), *range(4)]]
    sessions = ["01"] * 24 + ["02"] * 4
    return StackTable(
        path,
        tuple(patients),
        tuple(f"{p}_ses-{s}" for p, s in zip(patients, sessions, strict=True)),
        tuple(i % 2 for i in range(28)),
    )


@pytest.fixture(scope="session")
def config() -> Config:
    """Return settings for seconds of training."""
    return Config(
        net=NetConfig(pool=1, smooth=3, relief=False, stem=8, widths=(8,), blocks=1),
        train=TrainConfig(
            epochs=4, batch_size=8, learning_rate=1e-2, validation_fraction=0.25, threads=1
        ),
    )


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[StackTable], StackTable]:
    """Return what gives scans a record whose NIHSS tells the label to a degree."""

    def with_record(table: StackTable) -> StackTable:
        folder = tmp_path_factory.mktemp("known")
        rows = ["participant_id\tnihss\tage"]
        for place, (patient, label) in enumerate(sorted(table.patient_labels().items())):
            age = "n/a" if place % 4 == 0 else 70
            rows.append(f"{patient}\t{5 + 4 * label + place % 5}\t{age}")
        (folder / "clinical.tsv").write_text("\n".join(rows) + "\n")
        return replace(table, dataset=folder)

    return with_record

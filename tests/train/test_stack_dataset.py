"""Stacks for anybody's training loop: the numbers that prediction sees, from one mapped file."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from hemocast.train import StackDataset
from hemocast.volume import from_levels


def test_an_item_is_what_prediction_sees_and_the_label(table) -> None:
    data = StackDataset(table)
    assert len(data) == len(table) == 28
    frames, label = data[5]
    assert frames.dtype == label.dtype == torch.float32
    assert np.array_equal(frames, from_levels(np.load(table.array)[5]))
    assert float(label) == table.label[5]
    assert torch.equal(data[-1][0], data[27][0])
    for beyond in (28, -29):
        with pytest.raises(IndexError, match="of 28"):
            data[beyond]


def test_some_patients_scans_come_from_their_own_rows(table) -> None:
    part = table.of(["sub-0002", "sub-0020"])
    data = StackDataset(part)
    assert [int(label) for _, label in data] == list(part.label)
    whole = np.load(table.array)
    for i, row in enumerate(part.rows):
        assert np.array_equal(data[i][0], from_levels(whole[row]))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_shuffles_batches_and_reads_in_workers(table, workers: int) -> None:
    loader = DataLoader(
        StackDataset(table),
        batch_size=8,
        shuffle=True,
        num_workers=workers,
        generator=torch.Generator().manual_seed(1),
    )
    batches = list(loader)
    assert [tuple(frames.shape) for frames, _ in batches] == [(8, 8, 24, 24)] * 3 + [(4, 8, 24, 24)]
    assert sum(float(label.sum()) for _, label in batches) == sum(table.label)
    seen = sorted(float(frames.double().sum()) for batch, _ in batches for frames in batch)
    whole = from_levels(np.load(table.array)).sum((1, 2, 3), dtype=np.float64)
    assert seen == pytest.approx(sorted(whole))


def test_a_worker_gets_no_copy_of_the_stacks(table) -> None:
    data = StackDataset(table)
    data[0]
    sent = pickle.dumps(data)  # what a loader sends to a worker that is started afresh
    assert len(sent) < 10_000 < table.array.stat().st_size
    assert torch.equal(pickle.loads(sent)[3][0], data[3][0])  # noqa: S301 - our own bytes

"""What the stages share: first weights, the input layer's channels, and who weighs how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hemocast.nets import build
from hemocast.train import predict_table
from hemocast.train.module import Scans
from hemocast.train.stages import Inputs, Stage, initialise_head
from hemocast.volume import from_levels


@pytest.mark.parametrize("seed", range(4))
def test_a_fresh_head_points_towards_the_outcome(table, config, seed):
    """Whatever the chance of the first weights: pointing away, faint lesions were not learned."""
    torch.manual_seed(seed)
    net = build(config.net, frames=table.open().shape[1]).eval()
    length = float(net.head.weight.detach().norm())
    frames = torch.from_numpy(from_levels(table.open()[list(table.rows)]))
    with torch.inference_mode():
        channels = net.inputs(frames).numpy()
    label = torch.tensor(table.label, dtype=torch.float32)
    initialise_head(net, Scans(channels, range(len(label)), label, torch.ones(len(label))))
    logit = predict_table(net, table)
    assert logit[np.array(table.label) == 1].mean() > logit[np.array(table.label) == 0].mean()
    assert float(net.head.weight.detach().norm()) == pytest.approx(length, rel=1e-5)
    assert logit.mean() == pytest.approx(0, abs=1e-4)


def test_the_channels_are_made_once_for_all_stages_and_removed_at_the_end(table, config, tmp_path):
    net = build(config.net, frames=table.open().shape[1]).eval()
    with Inputs(table, tmp_path / "inputs.npy", (1.0, 1.0)) as inputs:
        some = inputs.of(net, table.of(table.participants[:3]))
        made = inputs.channels
        whole = inputs.of(net, table)
        assert inputs.channels is made
        frames = torch.from_numpy(from_levels(table.open()[[table.rows[2]]]))
        torch.testing.assert_close(whole[[2]][0], net.inputs(frames).detach())
        assert len(some) == 6
        assert [path.name for path in tmp_path.iterdir()] == ["inputs.npy"]
    assert list(tmp_path.iterdir()) == []


def test_a_class_weighs_as_it_is_told_and_a_patients_scans_share_it(table, config, tmp_path):
    net = build(config.net, frames=table.open().shape[1]).eval()
    with Inputs(table, tmp_path / "inputs.npy", (0.5, 3.0)) as inputs:
        scans = inputs.of(net, table)
    weight = scans.weight / scans.weight.min()
    assert weight[0] == weight[24] == weight.min() == 1  # a patient with two scans, no HT
    assert weight[1] == pytest.approx(6)
    assert weight[4] == pytest.approx(2)
    assert weight[5] == pytest.approx(12)


def test_a_stage_counts_its_batches(table, config):
    stage = Stage("state", table, None, 3)
    assert stage.steps(config.train) == 3 * 4
    assert replace(stage, epochs=1).steps(config.train) == 4

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from hemocast.config import Config, NetConfig
from hemocast.model import Purpose, load
from hemocast.train import fit, pack, predict_table
from hemocast.volume import from_levels

PURPOSE = Purpose("tiny", "HT", "nobody", simulated_training_data=True)


def test_a_fitted_network_becomes_a_model_that_computes_the_same(table, stacks, config, tmp_path):
    fitted = fit(table, config, tmp_path / "run")
    assert "\n" not in repr(fitted)
    model = pack(fitted, tmp_path / "model", PURPOSE, stacks)
    held = table.of(fitted.validation.participants)
    frames = from_levels(held.open()[list(held.rows)])
    np.testing.assert_allclose(model.logits(frames), predict_table(fitted.net, held), atol=1e-4)
    says = model.description
    assert says.training.data_hash == table.content_hash()
    assert (says.training.n_patients, says.training.n_scans) == (24, 28)
    assert says.training.prevalence == 0.5
    assert says.training.refit
    assert "learned from them too" in (tmp_path / "model" / "card.md").read_text()
    assert says.calibration.n_patients == len(fitted.validation.participants)
    assert says.calibration.n_scans == len(fitted.validation)
    patients = table.patient_labels()
    positive = np.mean([patients[p] for p in fitted.validation.participants])
    assert says.calibration.threshold == pytest.approx(positive)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a package that offers a network, as others would; give its name."""
    site = tmp_path / "site"
    facts = site / "outside_net-0.3.dist-info"
    facts.mkdir(parents=True)
    (site / "outside_net.py").write_text(
        textwrap.dedent("""
        import torch
        from torch import nn
        from hemocast.nets import MapGrid

        class Patches(nn.Module):
            def __init__(self, config, frames):
                super().__init__()
                side = config.options["side"]
                self.features = nn.Conv2d(frames, 6, side, side)
                self.head = nn.Linear(6, 1)
                self.map_grid = MapGrid(step=(side, side), origin=((side - 1) / 2,) * 2)

            def forward(self, frames):
                maps = torch.relu(self.features(frames))
                return self.head(maps.mean((2, 3))).squeeze(1), maps
        """)
    )
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-net\nVersion: 0.3\n")
    (facts / "top_level.txt").write_text("outside_net\n")
    (facts / "entry_points.txt").write_text("[hemocast.networks]\npatches = outside_net:Patches\n")
    monkeypatch.syspath_prepend(site)
    yield "patches"
    sys.modules.pop("outside_net", None)


def test_a_network_of_others_is_trained_exported_loaded_and_predicts(
    outside, table, stacks, config, tmp_path, monkeypatch
):
    net = NetConfig(name=outside, options={"side": 4})
    settings = Config(net=net, train=config.train.model_copy(update={"epochs": 1}))
    fitted = fit(table, settings, tmp_path / "run")
    pack(fitted, tmp_path / "model", PURPOSE, stacks)
    # Who predicts needs neither the package nor torch.
    sys.modules.pop("outside_net")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("site")])
    model = load(tmp_path / "model")
    facts = model.description.network
    assert facts is not None
    assert (facts.builder, facts.made) == ("outside_net:Patches",) * 2
    assert (facts.distribution, facts.distribution_version) == ("outside-net", "0.3")
    assert not facts.changed
    assert facts.parameters == 8 * 4 * 4 * 6 + 6 + 6 + 1
    assert [layer.split(":")[0] for layer in facts.layers] == ["features", "head"]
    assert "outside-net 0.3" in (tmp_path / "model" / "card.md").read_text()
    prediction = model.predict_stack(stacks[0], scan_id="x")
    assert "one picture for all frames" in prediction.heatmap_kind
    assert prediction.heatmap.shape == stacks[0].frames.shape
    held = fitted.validation
    frames = from_levels(held.open()[list(held.rows)])
    logit = predict_table(fitted.net, fitted.validation)
    np.testing.assert_allclose(model.logits(frames), logit, atol=1e-4)


@pytest.mark.slow
def test_a_network_that_was_changed_is_not_described_as_the_one_it_was(
    table, stacks, config, tmp_path
):
    import torch

    fitted = fit(table, config, tmp_path / "run")
    trunk = fitted.net.trunk
    fitted.net.trunk = torch.nn.Sequential(trunk, torch.nn.Conv3d(8, 8, 1))
    model = pack(fitted, tmp_path / "model", PURPOSE, stacks)
    facts = model.description.network
    assert facts is not None
    assert facts.changed
    assert any("trunk.1: Conv3d(8, 8" in layer for layer in facts.layers)
    assert "changed since it was built" in (tmp_path / "model" / "card.md").read_text()

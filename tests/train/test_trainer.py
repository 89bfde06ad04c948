"""The trainer is silent, leaves torch as it was, and trains by several processes as by one."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace

import pytest
import torch

from hemocast.config import Config
from hemocast.errors import MissingExtra
from hemocast.train import fit, trainer

FILES = ["refit.ckpt", "refit.csv", "state.ckpt", "state.csv"]


def changed(config: Config, **train) -> Config:
    return config.model_copy(update={"train": config.train.model_copy(update=train)})


def test_torch_is_left_as_it_was_found(table, config, tmp_path):
    torch.manual_seed(5)
    before = torch.get_num_threads(), torch.get_rng_state()
    fit(table, changed(config, epochs=1), tmp_path)
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert not torch.are_deterministic_algorithms_enabled()


def test_training_is_silent_and_leaves_only_its_state(table, config, tmp_path, capfd):
    fit(table, changed(config, epochs=1), tmp_path)
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_a_logger_that_is_not_installed_is_refused_before_anything_is_written(
    table, config, tmp_path, monkeypatch
):
    monkeypatch.setattr(trainer, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="mlflow"):
        fit(table, changed(config, log_to="mlflow"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_epochs_go_to_a_logger_in_the_runs_folder_too(table, config, tmp_path, name):
    pytest.importorskip(name)
    fit(table, changed(config, epochs=2, log_to=name), tmp_path)
    assert {*FILES, name} == {path.name for path in tmp_path.iterdir()}
    logged = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
    assert any(b"validation_loss" in path.read_bytes() or path.name == "validation_loss"
               for path in logged)  # fmt: skip
    with (tmp_path / "state.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="not tried there")
def test_two_processes_train_as_one_does(table, config, tmp_path, capfd):
    """Gloo, on the CPU: each scan once an epoch, one writer, and nothing said."""
    settings = changed(config, accelerator="cpu", precision="float32", augment=False)
    settings = settings.model_copy(update={"net": settings.net.model_copy(update={"dropout": 0})})
    one = fit(table, settings, tmp_path / "one")
    two = fit(table, changed(settings, devices=2), tmp_path / "two")
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == FILES
    for mine, other in zip(one.history + one.refit, two.history + two.refit, strict=True):
        # The same scans with the same weights, added up in another order.
        assert mine.train_loss == pytest.approx(other.train_loss, rel=1e-3)
    for mine, other in zip(
        one.net.state_dict().values(), two.net.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=0.02, atol=0.02)
    again = fit(table, changed(settings, devices=2), tmp_path / "two")
    assert replace(again, net=two.net).history == two.history
    assert capfd.readouterr() == ("", "")

"""A state belongs to its settings and data."""

from __future__ import annotations

import stat

import pytest
import torch

from hemocast.config import Config
from hemocast.errors import OutputExists
from hemocast.train import TrainingState, fit
from hemocast.train.checkpoint import Checkpoint, was_begun_with


def test_a_run_that_has_not_begun_has_no_state(tmp_path) -> None:
    assert Checkpoint(tmp_path, "x").read() is None
    assert was_begun_with(tmp_path, Config())


def test_a_state_of_others_is_refused_and_a_remedy_named(tmp_path) -> None:
    torch.save({"stamp": "a b c", "course": TrainingState().to_plain()}, tmp_path / "state.ckpt")
    assert Checkpoint(tmp_path, "a b c").read() == TrainingState()
    with pytest.raises(OutputExists, match="another name"):
        Checkpoint(tmp_path, "a b d").read()


def test_a_trained_state_knows_its_settings_and_may_be_read_by_others(
    table, config, tmp_path
) -> None:
    settings = config.model_copy(update={"train": config.train.model_copy(update={"epochs": 1})})
    fit(table, settings, tmp_path)
    assert was_begun_with(tmp_path, settings)
    assert not was_begun_with(tmp_path, config)
    state = tmp_path / "state.ckpt"
    assert stat.S_IMODE(state.stat().st_mode) & 0o077 == 0o044  # by the usual umask

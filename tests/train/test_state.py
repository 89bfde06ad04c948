"""The memory of a training run: the best epoch is kept, and nothing is lost on the way to disk."""

from __future__ import annotations

import torch

from hemocast.train import TrainingState
from hemocast.train.state import Validated


def _state(*losses: float) -> TrainingState:
    state = TrainingState()
    for epoch, loss in enumerate(losses):
        state.add(
            train_loss=1.0,
            validated=Validated(loss, 0.5),
            weights={"w": torch.full((2,), float(epoch))},
        )
    return state


def test_the_weights_of_the_lowest_loss_are_kept() -> None:
    state = _state(0.7, 0.5, 0.6, 0.5)
    assert (state.best_epoch, state.best_loss) == (2, 0.5)
    assert [record.best for record in state.history] == [True, True, False, False]
    assert torch.equal(state.best_weights["w"], torch.ones(2))


def test_kept_weights_do_not_move_with_the_network() -> None:
    weights = {"w": torch.zeros(2)}
    state = TrainingState()
    state.add(train_loss=1.0, validated=Validated(0.5, 0.5), weights=weights)
    weights["w"] += 1
    assert torch.equal(state.best_weights["w"], torch.zeros(2))


def test_a_state_survives_the_file_without_pickle(tmp_path) -> None:
    state = _state(0.7, 0.5)
    state.finished = True
    torch.save(state.to_plain(), tmp_path / "state")
    back = TrainingState.from_plain(torch.load(tmp_path / "state", weights_only=True))
    assert back.history == state.history
    assert (back.best_epoch, back.best_loss, back.finished) == (2, 0.5, True)
    assert torch.equal(back.best_weights["w"], state.best_weights["w"])


def test_it_says_in_one_line_how_far_it_is() -> None:
    assert repr(_state(0.7, 0.5, 0.6)) == "TrainingState(3 epochs, best 2)"


def test_without_validation_the_last_weights_are_kept() -> None:
    state = TrainingState()
    for epoch in range(3):
        weights = {"w": torch.full((2,), float(epoch))}
        state.add(train_loss=1.0 + epoch, validated=None, weights=weights)
    assert state.best_epoch == 3
    assert torch.equal(state.best_weights["w"], torch.full((2,), 2.0))
    assert state.history[0].validation_loss is None

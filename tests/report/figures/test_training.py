"""The training curve."""

from __future__ import annotations

from collections.abc import Callable

from hemocast.report.figures.training import training_figure
from hemocast.train import EpochRecord

HISTORY = tuple(
    EpochRecord(k + 1, 1 / (k + 1), 0.9 - k / 20, 0.5 + k / 10, k == 1) for k in range(4)
)


def test_it_shows_both_losses_the_auc_and_the_epoch_kept(check_figure: Callable) -> None:
    words = check_figure(lambda simulated: training_figure(HISTORY, 2, simulated=simulated))
    for said in ("training loss", "validation loss", "validation AUC", "kept", "Epoch"):
        assert said in words
    axes = training_figure(HISTORY, 2).axes[0]
    kept = next(line for line in axes.lines if line.get_label() == "kept")
    assert list(kept.get_xdata()) == [2, 2]
    assert list(axes.lines[0].get_ydata()) == [1, 1 / 2, 1 / 3, 1 / 4]

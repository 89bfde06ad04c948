"""The training curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hemocast.report.figures.style import BLUE, GREY, INK, ORANGE, fitted_axes, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hemocast.train import EpochRecord


@in_style
def training_figure(
    history: Sequence[EpochRecord], best_epoch: int, *, simulated: bool = False
) -> Figure:
    """Draw loss and validation AUC by epoch.

    Parameters
    ----------
    history : sequence of EpochRecord
        Of every epoch, each with its validation.
    best_epoch : int
        The epoch (from 1) whose weights were kept.
    simulated : bool
        Say so in the figure.
    """
    from matplotlib.ticker import MaxNLocator

    epochs = [record.epoch for record in history]
    figure = new_figure(3.5, 3.0, simulated=simulated)
    axes = fitted_axes(figure, top=0.8)
    for loss, colour, name in (
        ([record.train_loss for record in history], GREY, "training loss"),
        (_numbers(record.validation_loss for record in history), BLUE, "validation loss"),
    ):
        axes.plot(epochs, loss, color=colour, label=name)
    axes.axvline(best_epoch, color=INK, linewidth=1, linestyle=":", label="kept")
    axes.set(xlabel="Epoch", ylabel="Loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    right = axes.twinx()
    auc = _numbers(record.validation_auc for record in history)
    right.plot(epochs, auc, color=ORANGE, linestyle="--", label="validation AUC")
    right.set(ylabel="AUC", ylim=(0, 1.02))
    right.spines["right"].set_visible(True)
    figure.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0.94))
    return figure


def _numbers(values: Iterable[float | None]) -> list[float]:
    """Return them with gaps where there are none."""
    return [float("nan") if value is None else value for value in values]

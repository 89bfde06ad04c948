"""Figures of an evaluation as inline SVG: the same numbers give the same bytes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from hemocast.stats import Confusion, bootstrap_roc, roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY, _INK = "#0b5c6b", "#c2570c", "#7b8794", "#14202b"
_FIXED: dict[Any, Any] = {
    "svg.hashsalt": "hemocast",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["Liberation Sans", "Arial", "DejaVu Sans"],
    "font.size": 11,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def _draw(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # A Figure of its own: pyplot keeps global state, and chooses a backend by the machine.
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def inline_svg(figure: Figure, name: str, label: str) -> Markup:
    """Return a figure as SVG to stand within a page, with its description for screen readers."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context(_FIXED):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    # The page's policy allows no style of its own to a figure: turn each into attributes.
    text = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r' style="([^"]*)"', lambda found: _attributes(found[1]), text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Several figures share a page: their identifiers must not meet.
    text = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    head = Markup('<svg role="img" aria-label="{}"').format(label)
    return head + Markup(text[len("<svg") :])  # noqa: S704 - drawn by matplotlib from numbers


def _attributes(style: str) -> str:
    pairs = [part.split(":", 1) for part in style.split(";") if ":" in part]
    known = {name.strip(): value.strip() for name, value in pairs}
    if "font" in known:
        size, family = known.pop("font").split("px ", 1)
        known["font-size"] = size.split()[-1]
        known["font-family"] = family
    return "".join(f' {name}="{value.replace(chr(34), chr(39))}"' for name, value in known.items())


def roc_figure(
    label: ArrayLike,
    probability: ArrayLike,
    patient: ArrayLike,
    *,
    threshold: float,
    true_risk: ArrayLike | None = None,
    seed: int = 0,
) -> Markup:
    """ROC curve with a 95 % band, and the curve of the true risk as the ceiling.

    Parameters
    ----------
    label, probability, patient : array_like, shape (n,)
        Outcomes, predictions and patients of the scans.
    threshold : float
        The operating point that is marked.
    true_risk : array_like, shape (n,), optional
        The risk from which outcomes were drawn: known of simulated scans only.
    seed : int
        Of the band's bootstrap, which resamples patients.

    Raises
    ------
    StatisticsError
        Only one class is present.
    """
    from matplotlib import rc_context

    truth, score = np.asarray(label) == 1, np.asarray(probability, dtype=float)
    curve = roc_curve(truth, score)
    band = bootstrap_roc(truth, score, patient, seed=seed)
    with rc_context(_FIXED):
        figure, axes = _draw(5.2, 5.0)
        axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle=(0, (2, 3)))
        axes.fill_between(
            band.fpr, band.low, band.high, color=_BLUE, alpha=0.16, linewidth=0, label="95 % band"
        )
        if true_risk is not None:
            ceiling = roc_curve(truth, true_risk)
            axes.plot(
                ceiling.fpr,
                ceiling.tpr,
                color=_ORANGE,
                linewidth=1.5,
                linestyle="--",
                label="true risk (ceiling)",
            )
        axes.plot(curve.fpr, curve.tpr, color=_BLUE, linewidth=2.2, label="model")
        called = score >= threshold
        point = (float(called[~truth].mean()), float(called[truth].mean()))
        axes.plot(*point, "o", color=_BLUE, markersize=8, label=f"threshold {threshold:.2f}")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set(xlabel="1 - specificity", ylabel="Sensitivity")
        axes.legend(loc="lower right", frameon=False)
    said = f"ROC curve; at the threshold sensitivity {point[1]:.2f}, specificity {1 - point[0]:.2f}"
    return inline_svg(figure, "roc", said)


def confusion_figure(cells: Confusion) -> Markup:
    """Confusion matrix with counts and shares of each true class."""
    from matplotlib import rc_context

    counts = np.array([[cells.tn, cells.fp], [cells.fn, cells.tp]])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = ["no HT", "HT"]
    with rc_context(_FIXED):
        figure, axes = _draw(4.4, 4.2)
        for row in range(2):
            for column in range(2):
                share = float(shares[row, column])
                colour = _BLUE if row == column else _ORANGE
                axes.fill_between(
                    [column - 0.48, column + 0.48],
                    row - 0.48,
                    row + 0.48,
                    color=colour,
                    alpha=0.08 + 0.82 * share,
                    linewidth=0,
                )
                ink = "white" if share > 0.5 else _INK
                text = str(counts[row, column])
                axes.text(column, row - 0.06, text, ha="center", size=24, color=ink)
                axes.text(column, row + 0.22, f"{share:.0%}", ha="center", size=11, color=ink)
        axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), aspect="equal")
        axes.set_xticks([0, 1], names)
        axes.set_yticks([0, 1], names, rotation=90, va="center")
        axes.set(xlabel="Predicted", ylabel="True")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    said = f"Confusion matrix: {cells.tp} true positive, {cells.fn} false negative, "
    return inline_svg(
        figure, "confusion", said + f"{cells.tn} true negative, {cells.fp} false positive"
    )


def risk_figure(label: ArrayLike, probability: ArrayLike, *, threshold: float) -> Markup:
    """Histogram of predicted probabilities, HT above and no HT below the line.

    Parameters
    ----------
    label, probability : array_like, shape (n,)
        Outcomes and predictions.
    threshold : float
        Marked in the figure.
    """
    from matplotlib import rc_context
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    truth, score = np.asarray(label) == 1, np.asarray(probability, dtype=float)
    edges = np.linspace(0, 1, 21)
    with rc_context(_FIXED):
        figure, axes = _draw(5.6, 3.6)
        groups = ((truth, 1, _ORANGE, "HT"), (~truth, -1, _BLUE, "no HT"))
        for group, sign, colour, name in groups:
            counts, _ = np.histogram(score[group], edges)
            axes.bar(edges[:-1] + 0.025, sign * counts, 0.046, color=colour, label=name)
        axes.axhline(0, color=_INK, linewidth=0.8)
        axes.axvline(threshold, color=_INK, linewidth=1, linestyle="--", label="threshold")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlim=(0, 1), xlabel="Predicted probability", ylabel="Scans")
        axes.legend(frameon=False, loc="upper center", ncols=3, bbox_to_anchor=(0.5, 1.15))
    return inline_svg(
        figure, "risk", "Histogram of the predicted probabilities of scans with and without HT"
    )


def calibration_figure(label: ArrayLike, probability: ArrayLike, *, groups: int = 5) -> Markup:
    """Observed against predicted risk in groups of equal size, with Wilson intervals.

    Parameters
    ----------
    label, probability : array_like, shape (n,)
        Outcomes and predictions.
    groups : int
        Groups, from lowest to highest prediction; fewer where there are fewer scans.
    """
    from matplotlib import rc_context

    from hemocast.stats import wilson

    truth, score = np.asarray(label) == 1, np.asarray(probability, dtype=float)
    parts: list[NDArray[np.int64]] = [
        part for part in np.array_split(np.argsort(score, kind="stable"), groups) if part.size
    ]
    with rc_context(_FIXED):
        figure, axes = _draw(4.6, 4.4)
        axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle=(0, (2, 3)), label="ideal")
        for number, part in enumerate(parts):
            interval = wilson(int(truth[part].sum()), part.size)
            x, y = float(score[part].mean()), float(truth[part].mean())
            axes.plot([x, x], interval, color=_BLUE, linewidth=1.5)
            named = f"fifths of {score.size} scans, 95 % CI" if groups == 5 else "groups, 95 % CI"
            axes.plot(x, y, "o", color=_BLUE, markersize=7, label=None if number else named)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set(xlabel="Predicted probability", ylabel="Observed share with HT")
        axes.legend(frameon=False, loc="lower right")
    return inline_svg(
        figure, "calibration", "Calibration: observed share with HT against predicted probability"
    )


def training_figure(
    train_loss: ArrayLike,
    validation_loss: ArrayLike,
    validation_auc: ArrayLike,
    *,
    best_epoch: int,
) -> Markup:
    """Loss and validation AUC by epoch.

    Parameters
    ----------
    train_loss, validation_loss, validation_auc : array_like, shape (epochs,)
        Per epoch; NaN where not measured.
    best_epoch : int
        The epoch (from 1) whose weights were kept.
    """
    from matplotlib import rc_context
    from matplotlib.ticker import MaxNLocator

    losses = np.asarray(train_loss, dtype=float), np.asarray(validation_loss, dtype=float)
    epochs = np.arange(1, losses[0].size + 1)
    with rc_context(_FIXED):
        figure, axes = _draw(5.6, 3.6)
        axes.plot(epochs, losses[0], color=_GREY, label="training loss")
        axes.plot(epochs, losses[1], color=_BLUE, label="validation loss")
        axes.axvline(best_epoch, color=_INK, linewidth=1, linestyle=":", label="kept")
        axes.set(xlabel="Epoch", ylabel="Loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        right = axes.twinx()
        right.plot(epochs, validation_auc, color=_ORANGE, linestyle="--", label="validation AUC")
        right.set(ylabel="AUC", ylim=(0, 1.02))
        right.spines["right"].set_visible(True)
        lines = [*axes.get_lines(), *right.get_lines()]
        names = [str(line.get_label()) for line in lines]
        axes.legend(
            lines, names, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.28)
        )
    return inline_svg(
        figure, "training", f"Training curve over {epochs.size} epochs; epoch {best_epoch} was kept"
    )

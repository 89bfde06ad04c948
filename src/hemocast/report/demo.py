"""The demonstration's page: its numbers as `evaluate` shows them, and what only it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.evaluate.result import EvaluationResult
from hemocast.report.case.page import CaseView
from hemocast.report.evaluation.figures import draw_evaluation
from hemocast.report.figures.drawing import Drawing
from hemocast.report.figures.training import training_figure
from hemocast.report.page import render
from hemocast.report.pictures.sprites import make_picture
from hemocast.volume import BoolArray, Source

if TYPE_CHECKING:
    from hemocast.model.prediction import Prediction
    from hemocast.train import EpochRecord

Facts = tuple[tuple[str, str], ...]
"""Name and value."""

LIMITS = (
    "Every head, lesion and outcome here was simulated. The figures show that the software works "
    "from end to end. They say nothing about how well bleeding can be predicted in patients.",
    "The outcome was drawn from a risk that the simulator knows and that the scan shows by "
    "construction. In patients much of the risk cannot be seen on a plain CT.",
    "The share of scans with HT was chosen, and is far above that in practice. Predictive values "
    "and calibration hold for that share alone.",
    "One simulated scanner under the headers of several vendors; no movement, no prior surgery.",
)


@dataclass(frozen=True)
class Part:
    """One part of the split: its name, and how many patients, scans and patients with HT it has."""

    name: str
    n_patients: int
    n_scans: int
    n_events: int


@dataclass(frozen=True)
class Example:
    """One scan to look at.

    Parameters
    ----------
    title, explanation : str
        "HT, predicted"; and what there is to see, in a sentence or two.
    prediction : Prediction
        Of the scan.
    label : int
        1 for HT, 0 for none.
    true_risk : float
        From which the outcome was drawn.
    lesion : ndarray of bool, shape (28, H, W)
        The simulated lesion on the stack's grid.
    """

    title: str
    explanation: str
    prediction: Prediction
    label: int
    true_risk: float
    lesion: BoolArray

    @property
    def missed(self) -> bool:
        """Whether the model's call differs from the outcome."""
        called = self.prediction.probability >= self.prediction.threshold
        return called != bool(self.label)


@dataclass(frozen=True)
class DemoResult:
    """All that the page of the demo shows.

    Parameters
    ----------
    evaluation : EvaluationResult
        On the test scans: the model, then the true risk as its ceiling, and the two compared.
    simulated : tuple of (str, str)
        What was simulated and what was chosen.
    parts : tuple of Part
        Training, inner validation and test.
    overlap : int
        Patients in more than one part: 0, as the split's receipt proves.
    split_hash : str
        Of the receipt.
    refused : tuple of (str, int)
        Codes for which scans were not used, and how many.
    history, best_epoch : tuple of EpochRecord, int
        The training curve, and the epoch whose weights were kept.
    examples : tuple of Example
        Test scans: the surest of each class, and the worst miss.
    new_scan : Example
        A new series, predicted from its DICOM folder as a user's would be.
    new_source : Source
        Of its Volume.
    model, seconds : tuple
        The network and its training; stages and how long each took.
    """

    evaluation: EvaluationResult
    simulated: Facts
    parts: tuple[Part, ...]
    overlap: int
    split_hash: str
    refused: tuple[tuple[str, int], ...]
    history: tuple[EpochRecord, ...]
    best_epoch: int
    examples: tuple[Example, ...]
    new_scan: Example
    new_source: Source
    model: Facts
    seconds: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class _Shown:
    """An example with its picture, ready for the template."""

    example: Example
    view: CaseView


def demo_page(result: DemoResult) -> str:
    """Return the demo's single, self-contained page."""
    model, ceiling = result.evaluation.models
    gap = next(row for row in result.evaluation.comparisons if row.metric == "auc")
    return render(
        "demo.html",
        style="evaluation.css",
        script="viewer.js",
        r=result,
        model=model,
        ceiling=ceiling["auc"],
        gap=gap.difference,
        figures=_figures(result),
        examples=[_show(example) for example in result.examples],
        new=_show(result.new_scan),
        limits=LIMITS,
    )


def _figures(result: DemoResult) -> Sequence[Drawing]:
    """The evaluation's, without the calibration of the true risk, and the training curve."""
    drawn = [d for d in draw_evaluation(result.evaluation) if d.name != "calibration-2"]
    curve = training_figure(result.history, result.best_epoch, simulated=True)
    caption = (
        "Training. The epoch was chosen on the validation patients; the test patients had no part "
        "in it."
    )
    return [*drawn, Drawing("training", curve, caption)]


def _show(example: Example) -> _Shown:
    prediction = example.prediction
    picture = make_picture(
        prediction.stack, prediction.heatmap, prediction.heatmap_kind, example.lesion
    )
    return _Shown(example, CaseView(prediction, picture))

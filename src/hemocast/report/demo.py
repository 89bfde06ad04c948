"""The demo's page: what was simulated, how it was split, what the model reached, and some cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.report.case.page import CaseView, case_view
from hemocast.report.figures.inline import (
    calibration_figure,
    confusion_figure,
    risk_figure,
    roc_figure,
    training_figure,
)
from hemocast.report.page import render, write_text
from hemocast.report.pictures.sprites import Picture, make_picture
from hemocast.report.words import RESEARCH_NOTICE
from hemocast.stats import MAIN_METRICS, Estimate, Evaluation, auc_interval, delong_test
from hemocast.volume import BoolArray, Source

if TYPE_CHECKING:
    from hemocast.model.prediction import Prediction

FloatArray = NDArray[np.float64]

LIMITS = (
    "Every head, lesion and outcome here was simulated. The figures show that the software works "
    "from end to end. They say nothing about how well anyone's bleeding can be predicted.",
    "The outcome was drawn from a risk that the simulator knows and that the scan shows by "
    "construction. In patients much of the risk cannot be seen on a plain CT.",
    "The share of scans with HT was chosen, and is far above that in practice. Predictive values "
    "and calibration hold for that share alone.",
    "One simulated scanner under the headers of several vendors; no movement, no prior surgery.",
)


@dataclass(frozen=True)
class DemoCohort:
    """What was simulated.

    Parameters
    ----------
    n_patients, n_scans, n_events : int
        Patients, scans written as DICOM, and patients with HT.
    visibility : str
        How visible lesions were chosen to be, in words with the number.
    settings : tuple of (str, str)
        Any other choice worth showing: name and value.
    seed : int
        Of the simulation.
    """

    n_patients: int
    n_scans: int
    n_events: int
    visibility: str
    settings: tuple[tuple[str, str], ...]
    seed: int


@dataclass(frozen=True)
class DemoPart:
    """One part of the split: its name, and how many patients, scans and patients with HT it has."""

    name: str
    n_patients: int
    n_scans: int
    n_events: int


@dataclass(frozen=True)
class DemoHistory:
    """The training curve.

    Parameters
    ----------
    train_loss, validation_loss, validation_auc : ndarray of float64, shape (epochs,)
        Per epoch; NaN where not measured.
    best_epoch : int
        The epoch (from 1) whose weights were kept.
    """

    train_loss: FloatArray
    validation_loss: FloatArray
    validation_auc: FloatArray
    best_epoch: int


@dataclass(frozen=True)
class DemoExample:
    """One test scan to look at.

    Parameters
    ----------
    title, explanation : str
        "HT, foreseen"; and what there is to see, in a sentence or two.
    prediction : Prediction
        Of the scan.
    label : int or None
        1 for HT, 0 for none; None where no outcome is told.
    true_risk : float or None
        From which the outcome was drawn.
    lesion : ndarray of bool, shape (28, H, W), or None
        The simulated lesion on the stack's grid.
    """

    title: str
    explanation: str
    prediction: Prediction
    label: int | None = None
    true_risk: float | None = None
    lesion: BoolArray | None = None

    @property
    def missed(self) -> bool:
        """Whether the model's call differs from the outcome."""
        called = self.prediction.probability >= self.prediction.threshold
        return self.label is not None and called != bool(self.label)


@dataclass(frozen=True)
class DemoResult:
    """All that the page of the demo shows; plain values and arrays, read from nowhere.

    Parameters
    ----------
    cohort : DemoCohort
        What was simulated.
    refused : tuple of (str, int)
        Reasons (with their code) for which scans were not used, and how many.
    parts : tuple of DemoPart
        Training, validation and test, in this order.
    overlap : int
        Patients in more than one part: 0, as the split's receipt proves.
    split_hash : str
        Of the receipt.
    evaluation : Evaluation
        On the test scans.
    label, probability, true_risk : ndarray, shape (n,)
        Of the test scans: outcome, prediction, and the risk the outcome was drawn from.
    patient : ndarray of str or int, shape (n,)
        Their patients.
    history : DemoHistory
        The training curve.
    examples : tuple of DemoExample
        Test scans to look at: HT foreseen, no HT rightly told, one miss.
    new_scan : DemoExample
        The new series, predicted from its DICOM folder as a user's would be.
    new_source : Source
        Of its Volume.
    model_settings : tuple of (str, str)
        The network and its training: name and value.
    seconds : tuple of (str, float)
        Stages and how long each took.
    limits : tuple of str
        What the demo does not show.
    """

    cohort: DemoCohort
    refused: tuple[tuple[str, int], ...]
    parts: tuple[DemoPart, ...]
    overlap: int
    split_hash: str
    evaluation: Evaluation
    label: NDArray[np.int64]
    probability: FloatArray
    true_risk: FloatArray
    patient: NDArray[np.generic]
    history: DemoHistory
    examples: tuple[DemoExample, ...]
    new_scan: DemoExample
    new_source: Source
    model_settings: tuple[tuple[str, str], ...]
    seconds: tuple[tuple[str, float], ...]
    limits: tuple[str, ...] = LIMITS


@dataclass(frozen=True)
class _Shown:
    """An example with its picture, ready for the template."""

    example: DemoExample
    view: CaseView
    picture: Picture


_NAMES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "ppv": "PPV",
    "specificity": "Specificity",
    "f1": "F1 (of HT)",
    "auc": "AUC",
    "npv": "NPV",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1 (mean over both classes)",
    "brier": "Brier score (0 is perfect)",
}


def write_demo_page(result: DemoResult, path: Path) -> None:
    """Write the demo's single, self-contained page.

    Parameters
    ----------
    result : DemoResult
        Everything it shows.
    path : Path
        A ``.html``; written under a temporary name, then renamed.

    Raises
    ------
    StatisticsError
        The test scans hold one class only.
    """
    threshold = result.evaluation.threshold
    figures = {
        "roc": roc_figure(
            result.label,
            result.probability,
            result.patient,
            threshold=threshold,
            true_risk=result.true_risk,
            seed=result.evaluation.seed,
        ),
        "confusion": confusion_figure(result.evaluation.confusion),
        "risk": risk_figure(result.label, result.probability, threshold=threshold),
        "calibration": calibration_figure(result.label, result.probability),
        "training": training_figure(
            result.history.train_loss,
            result.history.validation_loss,
            result.history.validation_auc,
            best_epoch=result.history.best_epoch,
        ),
    }
    ceiling = auc_interval(result.label, result.true_risk, result.patient)
    text = render(
        "demo.html",
        r=result,
        figures=figures,
        rows=_rows(result.evaluation),
        ceiling=ceiling,
        gap=_gap(result, ceiling),
        shown=[_show(example) for example in result.examples],
        new=_show(result.new_scan),
        research_notice=RESEARCH_NOTICE,
    )
    write_text(text, path)


def _rows(evaluation: Evaluation) -> list[tuple[str, Estimate]]:
    return [(_NAMES[name], evaluation[name]) for name in MAIN_METRICS]


def _gap(result: DemoResult, ceiling: Estimate) -> str:
    """How far the model stays below the ceiling, with the interval of the paired difference."""
    below = ceiling.value - result.evaluation["auc"].value
    if np.allclose(result.probability, result.true_risk) or below == 0:
        return "The model reaches the ceiling on these scans."
    paired = delong_test(result.label, result.true_risk, result.probability, result.patient)
    return (
        f"The model stays {below:.3f} below it (paired 95 % CI {paired.ci_low:.3f} to "
        f"{paired.ci_high:.3f})."
    )


def _show(example: DemoExample) -> _Shown:
    prediction = example.prediction
    picture = make_picture(
        prediction.stack, prediction.heatmap, prediction.heatmap_kind, example.lesion
    )
    return _Shown(example, case_view(prediction, picture), picture)

"""All that a validation found, as plain values, for its page."""

from __future__ import annotations

from dataclasses import dataclass

from hemocast.evaluate.monitor.drift import Compared
from hemocast.evaluate.result import EvaluationResult, ModelPart
from hemocast.evaluate.validation.likeness import Doubted
from hemocast.evaluate.validation.recalibrated import Recalibration
from hemocast.evaluate.validation.size import SizeCheck


@dataclass(frozen=True)
class Flow:
    """From the dataset's patients to those that were judged.

    Parameters
    ----------
    n_patients, n_labelled : int
        With scans; with a known outcome, of whom alone scans were predicted.
    n_scans, n_predicted : int
        Of these; with a prediction.
    refusals : tuple of (str, int)
        Code of the reason, and how many scans had it.
    """

    n_patients: int
    n_labelled: int
    n_scans: int
    n_predicted: int
    refusals: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Validated:
    """A model at a new place.

    Parameters
    ----------
    model, version, hash : str
        Which model.
    population, horizon : str
        What it says of itself.
    flow : Flow
    size : SizeCheck
    evaluation : EvaluationResult
    doubted : Doubted or None
        None where the model has no gate.
    compared : tuple of Compared
        Scans and predictions against those of a reference; empty without one.
    recalibration : Recalibration or None
        None where patients are too few to try.
    others : int
        Other models that were held against the same outcomes before.
    calibrated_here : bool
        The model was recalibrated on these very patients.
    """

    model: str
    version: str
    hash: str
    population: str
    horizon: str
    flow: Flow
    size: SizeCheck
    evaluation: EvaluationResult
    doubted: Doubted | None
    compared: tuple[Compared, ...]
    recalibration: Recalibration | None
    others: int
    calibrated_here: bool = False

    @property
    def part(self) -> ModelPart:
        """The evaluation of the one model."""
        return self.evaluation.models[0]

    @property
    def drifted(self) -> tuple[str, ...]:
        """What is not as it was in training, by more than chance."""
        gate = (
            ("scans that the model's gate doubts",) if self.doubted and self.doubted.drifted else ()
        )
        return (*gate, *(one.feature for one in self.compared if one.alarm))

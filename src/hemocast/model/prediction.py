"""What a model says about one scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measured import SCAN, Reason
from hemocast.errors import NotFinite
from hemocast.model.heatmap import NO_PLACES
from hemocast.model.label_sets import LabelSets
from hemocast.model.nearest import Nearest
from hemocast.volume import FloatArray, Stack

HEATMAP_UNIT = "log-odds per cm3"
"""What every heatmap is in: what a cm3 of the picture adds to the log-odds of the probability."""


@dataclass(frozen=True)
class Prediction:
    """The answer for one scan, with all that is needed to judge it.

    Parameters
    ----------
    scan_id : str
        Hash of the scan's UIDs (or of its file), or the dataset's name for it.
    logit : float
        What the network gave.
    probability : float
        Calibrated.
    probability_interval : tuple of float
        95 % interval of the calibration curve at this logit, that is, of the mean risk of all
        patients with it, and **not** of this patient's risk.
    threshold : float
        Probability from which on a scan is called positive.
    heatmap : ndarray of float32, shape (28, H, W)
        On the stack's grid, in `HEATMAP_UNIT`, 0 outside the brain: positive where the picture
        speaks for HT, negative where against. Summed over the brain's volume it is what the brain
        adds to the log-odds of `probability`.
    heatmap_kind : str
        What the heatmap is, in words; for ``ctnet2d`` it says that one picture serves all frames.
    stack : Stack
        What the network saw.
    flags : tuple of str
        Reasons for doubt, in words.
    horizon, population : str
        What the probability is a probability of, and in whom.
    model_name, model_version, model_hash : str
        The model; the hash is the SHA-256 of its ``model.yaml``.
    simulated_training_data : bool
    notice : str
        What every output must say.
    label_sets : LabelSets or None
        What decides which answers stay possible; None: the model has no such numbers.
    prevalence : float or None
        Of HT, in the population that the probability is for; None: not known.
    reasons : tuple of Reason
        What moved the answer, the most first; empty for a network, and where none can tell.
    told : str
        What the model was told of, in words.
    nearest : Nearest or None
        Training scans most like this one; None: the model's folder holds none.

    Raises
    ------
    NotFinite
        Logit, probability, interval, threshold or heatmap is NaN or infinite: no answer.
    """

    scan_id: str
    logit: float
    probability: float
    probability_interval: tuple[float, float]
    threshold: float
    heatmap: FloatArray
    heatmap_kind: str
    stack: Stack
    flags: tuple[str, ...]
    horizon: str
    population: str
    model_name: str
    model_version: str
    model_hash: str
    simulated_training_data: bool
    notice: str
    label_sets: LabelSets | None = None
    prevalence: float | None = None
    reasons: tuple[Reason, ...] = ()
    told: str = SCAN
    nearest: Nearest | None = None

    def __post_init__(self) -> None:
        numbers = (self.logit, self.probability, *self.probability_interval, self.threshold)
        require_finite(np.array(numbers))
        require_finite(self.heatmap)

    def __repr__(self) -> str:
        """One line: the probability, its calibration's interval, and how many doubts there are."""
        low, high = self.probability_interval
        return (
            f"Prediction({self.scan_id}: {self.probability:.0%} (calibration {low:.0%} to "
            f"{high:.0%}), {len(self.flags)} flags, {self.notice})"
        )

    @property
    def has_heatmap(self) -> bool:
        """Whether the model looks at places; a model from measurements does not."""
        return self.heatmap_kind != NO_PLACES

    @property
    def positive(self) -> bool:
        """Whether the probability reaches the threshold."""
        return self.probability >= self.threshold

    def probability_at(self, prevalence: float) -> float:
        """Give the probability where HT is as common as given.

        The odds are multiplied by the ratio of the prevalences' odds, as
        `hemocast.model.calibrate.Calibration.at_prevalence` does (Saerens, Latinne & Decaestecker
        2002, 10.1162/089976602753284446).

        Parameters
        ----------
        prevalence : float
            In (0, 1).

        Raises
        ------
        ValueError
            It is not, or the model does not know, or had only one outcome, what it is now.
        """
        if not (0 < prevalence < 1 and self.prevalence and self.prevalence < 1):
            raise ValueError("risks are moved between prevalences above 0 and below 1")
        ratio = prevalence / (1 - prevalence) / (self.prevalence / (1 - self.prevalence))
        moved = self.probability * ratio
        return moved / (moved + 1 - self.probability)

    @property
    def label_set(self) -> tuple[int, ...] | None:
        """Answers that stay possible, 0 no HT and 1 HT; None: the model cannot tell."""
        return self.label_sets.of(self.logit) if self.label_sets else None

    @property
    def label_set_text(self) -> str:
        """The set as it is written: "{0}", "{1}" or "{0, 1}"; "" where there is none."""
        return self.label_sets.text(self.logit) if self.label_sets else ""


def require_finite(answer: NDArray[np.floating]) -> None:
    """Refuse what a model says about a scan if any of it is NaN or infinite.

    Raises
    ------
    NotFinite
        It is.
    """
    if not np.isfinite(answer).all():
        raise NotFinite(
            "The model gives something that is no finite number for this scan",
            "a finite logit, heatmap, probability and interval",
            "Look at the scan for values that no CT has, or get the model again",
        )

"""Where an acute infarct may lie: the network's outline, and what it says of the scan as a whole.

The network is the encoder of `hemocast.nets.hemispheres`, which learned on simulated heads alone,
exported; it runs without torch. Beside it lies a card with what turns its numbers into mL and
grades, fitted to and measured on simulated heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import yaml

from hemocast.anatomy.fields import on_axes
from hemocast.config import PrepareConfig, Settings
from hemocast.onnx import Session
from hemocast.signs.sides import LEFT, RIGHT, Sides
from hemocast.volume import FloatArray, Stack

FRAMES = PrepareConfig()
"""How the frames are made that the network reads."""

VOLUME, UPTAKE, LEUKOARAIOSIS, SEVERE_LEUKOARAIOSIS = 0, 1, 5, 6
"""Place of findings among those that the network gives."""

_FOLDER = "infarct_model"


class Card(Settings):
    """What is known of the network, and what turns its numbers into measurements.

    Parameters
    ----------
    simulator_version : int
        Of the heads that it learned from.
    scans, steps : int
        Simulated scans it learned from, and batches.
    weights_hash : str
        SHA-256 of the encoder's weights.
    fitted_to, measured_on : str
        The heads that the numbers below were fitted to, and on which they were measured.
    seen : float
        Least `Outline.evidence` at which an infarct is said to be seen.
    unseen_ml : float
        95 % of infarcts that were not seen are smaller, mL.
    volume : tuple of float
        log mL = first + second x finding + third x log of the outline's mass (mL).
    volume_factors : tuple of float
        95 % of true volumes lie between these multiples of the measured.
    uptake : tuple of float
        log of the share = first + second x finding + third x log of what the mask measures.
    uptake_factors : tuple of float
        As of the volume.
    van_swieten : tuple of float
        Grade = first + second x probability of any leukoaraiosis + third x of a severe one.
    van_swieten_spread : float
        95 % of true grades lie no further from the measured.
    region : tuple of float
        Logit that an ASPECTS region is affected = first + second x its share in the mask + third x
        its mean probability + fourth x how much darker it is than its mirror image, HU.
    aspects_spread : tuple of float
        95 % of true scores lie no further below and above the measured.
    """

    simulator_version: int
    scans: int
    steps: int
    weights_hash: str
    fitted_to: str
    measured_on: str
    seen: float
    unseen_ml: float
    volume: tuple[float, float, float]
    volume_factors: tuple[float, float]
    uptake: tuple[float, float, float]
    uptake_factors: tuple[float, float]
    van_swieten: tuple[float, float, float]
    van_swieten_spread: float
    region: tuple[float, float, float, float]
    aspects_spread: tuple[float, float]


@dataclass(frozen=True)
class Outline:
    """What the network says of one scan.

    Parameters
    ----------
    probability : ndarray of float32, shape (2, frame, y, x)
        Of every cell of a `Sides`, that it is acutely infarcted.
    findings : ndarray of float32, shape (n,)
        As `hemocast.nets.hemispheres.FINDINGS` lists them.
    """

    probability: FloatArray
    findings: FloatArray

    @property
    def evidence(self) -> float:
        """How much speaks for an infarct: its volume and water uptake as the network has them.

        Of the outline's peak and mass and of the findings this told simulated heads with an infarct
        of 5 mL and more best from those without (`benchmarks/infarct_model.py`).
        """
        return float(self.findings[VOLUME] + self.findings[UPTAKE])

    @property
    def side(self) -> int:
        """The side that holds more of it."""
        right, left = (float(self.probability[side].sum()) for side in (RIGHT, LEFT))
        return LEFT if left > right else RIGHT


def read_outline(stack: Stack, sides: Sides) -> Outline:
    """Let the network read a scan.

    Parameters
    ----------
    stack : Stack
        Made with `FRAMES`.
    sides : Sides
        Its halves.

    Raises
    ------
    ModelCorrupt
        The network that came with Hemocast is damaged.
    """
    outline, findings, _ = _session().read(stack.frames[None])
    return Outline(on_cells(outline[0], sides), findings[0])


def on_cells(outline: FloatArray, sides: Sides) -> FloatArray:
    """Interpolate the outline's probabilities to the cells of both sides, within the frame."""
    probability = 1 / (1 + np.exp(-np.clip(outline, -30, 30)))
    _, frames, rows, columns = sides.hu.shape
    step = rows / outline.shape[2]
    at = [
        np.clip((np.arange(n) + 0.5) / step - 0.5, 0, coarse - 1 + 1e-3)
        for n, coarse in zip((rows, columns), outline.shape[2:], strict=True)
    ]
    looked_at = np.arange(columns) < outline.shape[3] * step
    cells = [on_axes(half, [np.arange(frames, dtype=np.float64), *at]) for half in probability]
    return np.asarray(np.clip(np.stack(cells), 0, 1) * looked_at, np.float32)


@lru_cache(maxsize=1)
def card() -> Card:
    """Return the card that lies beside the network."""
    text = (_asset() / "model.yaml").read_text(encoding="utf-8")
    return Card.model_validate(yaml.safe_load(text))


@lru_cache(maxsize=1)
def _session() -> Session:
    return Session((_asset() / "outline.onnx").read_bytes())


def _asset() -> resources.abc.Traversable:
    return resources.files("hemocast") / "assets" / _FOLDER

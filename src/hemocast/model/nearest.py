"""Nearest cases: the training scans that look to a network most like a scan, with their outcomes.

A model folder holds them only where the owner of the data asked for it when training: pseudonyms,
outcomes and features of patients are nothing to give away. What passes a folder on
(`hemocast.model.bundle`) leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.scan_id import ScanId
from hemocast.model.schema import CASES, corrupt
from hemocast.onnx import Session
from hemocast.volume import FloatArray

SHOWN = 5
"""Cases that are named, each of another patient."""


class LabelledScans(Protocol):
    """Scans to learn from."""

    @property
    def scan_id(self) -> tuple[str, ...]:
        """Name of each."""

    @property
    def label(self) -> tuple[int, ...]:
        """1 HT, 0 no HT, of each."""

    def frames(self) -> Iterator[FloatArray]:
        """Give the frames (frames, H, W) of each in [0, 1]."""


@dataclass(frozen=True)
class NearCase:
    """A training scan that looks to the network like another scan.

    Parameters
    ----------
    scan_id : str
        A pseudonym.
    ht : bool
        The patient's outcome.
    distance : float
        See `TrainingCases.near`.
    """

    scan_id: str
    ht: bool
    distance: float


@dataclass(frozen=True)
class Nearest:
    """The training scans nearest to a scan, and how far apart they usually are.

    Parameters
    ----------
    cases : tuple of NearCase
        The nearest first, one a patient.
    usual : float
        Median distance of a training scan to the nearest of another patient.
    n_scans, n_features : int
        Training scans that were looked at, and features the distance is of.
    """

    cases: tuple[NearCase, ...]
    usual: float
    n_scans: int
    n_features: int


@dataclass(frozen=True, eq=False)
class TrainingCases:
    """What is kept of the training scans.

    Parameters
    ----------
    scan_id : tuple of str
        Pseudonyms, as in the dataset's tables.
    ht : ndarray of bool, shape (n,)
        The patients' outcomes.
    features : ndarray of float32, shape (n, features)
        `pooled_features` of each scan.
    usual : float
        Median distance of a scan to the nearest of another patient.
    """

    scan_id: tuple[str, ...]
    ht: NDArray[np.bool_]
    features: FloatArray
    usual: float = float("nan")

    @classmethod
    def of(cls, scans: LabelledScans, network: bytes) -> Self:
        """Read the features of scans off an exported network, as at prediction."""
        session = Session(network)
        features = [pooled_features(session.run(one[None])[1][0]) for one in scans.frames()]
        cases = cls(scans.scan_id, np.array(scans.label) > 0, np.array(features))
        return replace(cases, usual=cases._between_patients())

    @cached_property
    def _patients(self) -> NDArray[np.str_]:
        return np.array([name.partition("_")[0] for name in self.scan_id])

    @cached_property
    def _scale(self) -> NDArray[np.float64]:
        """Return one over each feature's standard deviation; 0 for a feature that never varies."""
        spread = self.features.std(axis=0, dtype=np.float64)
        return np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)

    def _distances(self, features: FloatArray) -> NDArray[np.float64]:
        apart = (self.features.astype(np.float64) - features) * self._scale
        return np.asarray(np.sqrt(np.mean(apart**2, axis=1)))

    def _between_patients(self) -> float:
        """Give `usual`; NaN where all scans are of one patient."""
        nearest = []
        for patient, own in zip(self._patients, self.features, strict=True):
            others = self._distances(own)[self._patients != patient]
            nearest += [others.min()] if others.size else []
        return float(np.median(nearest)) if nearest else float("nan")

    def near(self, features: FloatArray) -> Nearest:
        """Find the scans most like another one, of each patient the nearest.

        The distance is the root mean square difference of the features, each counted in its
        standard deviations among the training scans, so that none rules by its unit.

        Parameters
        ----------
        features : ndarray of float32, shape (features,)
            `pooled_features` of the other one.
        """
        distance = self._distances(features)
        order = np.argsort(distance, kind="stable")
        _, first = np.unique(self._patients[order], return_index=True)
        cases = tuple(
            NearCase(self.scan_id[row], bool(self.ht[row]), float(distance[row]))
            for row in order[np.sort(first)[:SHOWN]]
        )
        return Nearest(cases, self.usual, *self.features.shape)

    def to_bytes(self) -> bytes:
        """Return the content of the model folder's file: numbers, and names as their letters."""
        from safetensors.numpy import save

        letters = np.array([name.encode() for name in self.scan_id])
        return save(
            {
                "features": np.ascontiguousarray(self.features, np.float32),
                "ht": self.ht.astype(np.uint8),
                "scan_id": letters.view(np.uint8).reshape(len(letters), -1).copy(),
                "usual": np.array([self.usual]),
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes, n_features: int) -> Self:
        """Read what `to_bytes` wrote.

        Parameters
        ----------
        content : bytes
        n_features : int
            What the network pools.

        Raises
        ------
        ModelCorrupt
            It is something else.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            found = load(content)
            features, ht = found["features"], found["ht"]
            letters, usual = found["scan_id"], found["usual"]
        except (SafetensorError, KeyError, ValueError) as error:
            raise corrupt(f"{CASES} holds no training cases") from error
        kinds = features.dtype == np.float32 and ht.dtype == letters.dtype == np.uint8
        shapes = ht.ndim == 1 and letters.ndim == 2 and len(letters) == len(ht) > 0
        fits = features.shape == (len(ht), n_features)
        numbers = usual.shape == (1,) and np.isfinite(features).all()
        if not (kinds and shapes and fits and numbers):
            raise corrupt(f"{CASES} holds no training cases of this network")
        names = tuple(bytes(row).rstrip(b"\0").decode("ascii", "replace") for row in letters)
        if any(ScanId.parse(name) is None for name in names):
            raise corrupt(f"{CASES} names scans as no dataset does")
        return cls(names, ht > 0, features, float(usual[0]))


def pooled_features(maps: FloatArray) -> FloatArray:
    """Return the mean of each of a scan's last feature maps (C, ...): what the logit is made of.

    Of ``hemispheres`` these are its findings.
    """
    pooled = maps.reshape(len(maps), -1).mean(axis=1, dtype=np.float64)
    return np.asarray(pooled, np.float32)

"""Who is learned from, who is tested on, and what only the simulator knows of the latter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hemocast.errors import NothingThere, TableError
from hemocast.stats import Cases, Estimate
from hemocast.stats.discrimination.expected import KnownRisks
from hemocast.stats.estimate import Float64Array
from hemocast.tables import read_table
from hemocast.train import StackTable
from hemocast.train.pretrain.findings import FindingsTable

TRUTH = Path("truth") / "patients.csv"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FreshPatients:
    """Simulated patients whom no model has seen.

    Parameters
    ----------
    table : StackTable
        Their scans.
    image_risk, true_risk : ndarray of float64, shape (patients,)
        Risk given what the first scan shows, and given everything, in the sorted order of the
        patients.
    findings : FindingsTable or None
        Where their infarcts are; None where the cohort does not say.
    """

    table: StackTable
    image_risk: Float64Array
    true_risk: Float64Array
    findings: FindingsTable | None = None

    @classmethod
    def of(cls, folder: Path) -> FreshPatients:
        """Read them from a cohort by ``hemocast simulate --format stacks``.

        Raises
        ------
        NothingThere, TableError
            It is none, or its tables do not belong together.
        """
        table = StackTable.of_folder(folder / "stacks")
        known = read_table(folder / TRUTH, str(TRUTH))
        try:
            risks = known.set_index("participant_id")[["risk_image", "risk"]].astype(float)
            image, true = risks.loc[list(table.participants)].to_numpy().T
        except (KeyError, ValueError) as error:
            raise TableError(
                f"{TRUTH} lacks a patient, or a column risk or risk_image with numbers",
                "the table that hemocast simulate writes",
                "Simulate the cohort again",
            ) from error
        return cls(table, image, true, _findings(folder))

    @property
    def cases(self) -> Cases:
        """Outcomes and patients; the score is the true image risk of every scan."""
        table = self.table
        numbered = np.searchsorted(table.participants, table.participant_id)
        return Cases(table.label, self.image_risk[numbered], table.participant_id)

    def known(self) -> KnownRisks:
        """Return the scans with their patients' true image risks."""
        return KnownRisks(self.image_risk, self.cases.patient)


@dataclass(frozen=True)
class BenchmarkData:
    """Both cohorts.

    Parameters
    ----------
    learned : StackTable
        Scans to learn from.
    fresh : FreshPatients
        Whom every model is tested on.
    """

    learned: StackTable
    fresh: FreshPatients

    @classmethod
    def of(cls, learned: Path, fresh: Path) -> BenchmarkData:
        """Read two cohorts of ``hemocast simulate --format stacks``.

        Raises
        ------
        NothingThere, TableError
            One is none; or both hold a picture in common: they would be of one seed.
        """
        data = cls(StackTable.of_folder(learned / "stacks"), FreshPatients.of(fresh))
        if data.learned.array.samefile(data.fresh.table.array) or _first(data.learned) == _first(
            data.fresh.table
        ):
            raise TableError(
                "The patients to learn from and to test on are the same",
                "two cohorts simulated with different seeds",
                "Give another cohort to test on",
            )
        return data

    @property
    def prevalence(self) -> float:
        """Share of the patients learned from who have HT."""
        labels = self.learned.patient_labels()
        return sum(labels.values()) / len(labels)


@dataclass(frozen=True)
class Scored:
    """What a model says of the fresh scans.

    Parameters
    ----------
    probability : ndarray of float64, shape (n,)
        Of HT, of every scan in the order of their table.
    threshold : float
        At or above it a scan counts as positive; chosen without the fresh patients.
    cpu_seconds : float or None
        Of processor time, for training and for predicting the fresh scans; None where nobody
        counted, or where the run was stopped and went on.
    parameters : int or None
        Learned numbers.
    epochs : int or None
        After which training ended.
    maps : mapping of str to Estimate
        Where heatmaps lie (`hemocast.pipeline.network_map`); empty without them.
    """

    probability: Float64Array
    threshold: float
    cpu_seconds: float | None = None
    parameters: int | None = None
    epochs: int | None = None
    maps: Mapping[str, Estimate] = field(default_factory=dict)


def _findings(folder: Path) -> FindingsTable | None:
    with suppress(NothingThere, TableError):
        return FindingsTable.of_cohort(folder)
    return None


def _first(table: StackTable) -> str:
    return hashlib.sha256(np.ascontiguousarray(table.open()[table.rows[0]]).data).hexdigest()

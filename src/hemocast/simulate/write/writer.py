"""What the three formats of a cohort on disk have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hemocast.config import SimulateConfig
from hemocast.dataset.scan_id import ScanId
from hemocast.files import TEMPORARY, remove_temporary
from hemocast.simulate.epidemiology.patients import Patient, PlannedScan
from hemocast.simulate.workers import open_workers

UNFINISHED = f"{TEMPORARY}unfinished"
"""Folder, in the cohort's, of what is not finished; removed in the end."""

HEAD_MM = 180.0
"""Height of what is scanned, with margins, mm: for the size of a scan's files."""


def dicom_bytes(scan: PlannedScan) -> float:
    """Return about how large the files of a scan are."""
    return 2 * scan.protocol.matrix**2 * HEAD_MM / scan.protocol.slice_mm


@dataclass(frozen=True)
class CohortWriter(ABC):
    """A cohort to be written: whose scans, where, by how many processes.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's settings.
    patients : tuple of Patient
        As they follow from them.
    out : Path
        The cohort's folder, claimed.
    workers : int
        Processes.
    progress : callable
        Called with steps done and steps in all.
    """

    config: SimulateConfig
    patients: tuple[Patient, ...]
    out: Path
    workers: int
    progress: Callable[[int, int], None]

    @abstractmethod
    def name(self, patient: Patient) -> str:
        """Return what the visible part calls a patient."""

    def sessions(self, patient: Patient) -> list[str]:
        """Return what the visible part calls a patient's scans before the bleed, by time."""
        return [str(ScanId.numbered(self.name(patient), k + 1)) for k in range(len(patient.scans))]

    @abstractmethod
    def tables(self) -> dict[str, str]:
        """Return the tables that the simulator alone writes, path in the folder -> text."""

    def filled_tables(self) -> dict[str, str]:
        """Return tables that others have made, with what is known filled in, path -> text.

        Raises
        ------
        OutputExists
            A table holds other values.
        """
        return {}

    @abstractmethod
    def space(self) -> float:
        """Return about how many bytes are still to be written."""

    @abstractmethod
    def render(self) -> None:
        """Write every scan that is not there yet."""

    def missing(self, part: str) -> Iterator[PlannedScan]:
        """Yield the scans, bleeds too, that are not there as DICOM; others go to `part`."""
        for patient in self.patients:
            for scan in patient.scans:
                if not (self.out / part / scan.folder).exists():
                    yield scan
            if patient.bleed and not (self.out / "bleeds" / patient.bleed.folder).exists():
                yield patient.bleed

    def render_each(self, work: Callable[[Patient], int]) -> None:
        """Do all that is to be done for every patient; `work` returns how many scans there are."""
        done, total = 0, sum(p.n_scans for p in self.patients)
        self.progress(0, total)
        with open_workers(self.workers) as each:
            for count in each(work, self.patients):
                done += count
                self.progress(done, total)

    def clean(self, *parts: str) -> None:
        """Remove what a killed run left half written in `parts` of the folder."""
        for part in (*parts, "bleeds", "truth", "truth/masks"):
            remove_temporary(self.out / part)

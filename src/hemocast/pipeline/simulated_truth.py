"""What is known of simulated scans, found again in the dataset that was made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.pseudonym import participant_id
from hemocast.dataset.stacks import ScanFile
from hemocast.simulate import Patient, PlannedScan, Truth

if TYPE_CHECKING:
    from hemocast.volume import BoolArray, Stack


@dataclass(frozen=True)
class SimulatedTruth:
    """What only the simulator knows, found by what the dataset calls things.

    Parameters
    ----------
    cohort : Truth
        The simulated cohort.
    patients : dict of Patient
        By ``participant_id``.
    """

    cohort: Truth
    patients: dict[str, Patient]

    @classmethod
    def of(cls, cohort: Truth, key: bytes) -> SimulatedTruth:
        """Find the patients of a cohort in a dataset whose pseudonyms were made with `key`."""
        return cls(cohort, {participant_id(key, p.patient_id): p for p in cohort.patients})

    def patient(self, scan: ScanFile) -> Patient:
        """Return whose scan it is."""
        return self.patients[scan.participant_id]

    def planned(self, scan: ScanFile) -> PlannedScan:
        """Return its plan: sessions are numbered in the order of time, as planned scans are."""
        return self.patient(scan).scans[(scan.scan.number or 0) - 1]

    def lesion(self, scan: ScanFile, stack: Stack) -> BoolArray:
        """Return the infarct put into a scan, on its stack's grid."""
        return lesion_on_stack(self.cohort, self.planned(scan), stack)


def lesion_on_stack(cohort: Truth, scan: PlannedScan, stack: Stack) -> BoolArray:
    """Return the infarct put into a scan of a cohort, on its stack's grid."""
    return mask_on_stack(cohort.folder / "truth" / "masks" / f"{scan.folder}.nii.gz", stack)


def mask_on_stack(path: Path, stack: Stack) -> BoolArray:
    """Bring a mask on the scan's own grid to the stack's, by nearest voxel."""
    import nibabel
    from scipy.ndimage import affine_transform

    image: Any = nibabel.load(path)
    to_mask = np.linalg.inv(image.affine) @ stack.affine
    mask = affine_transform(
        np.asarray(image.dataobj, np.uint8),
        to_mask[:3, :3],
        to_mask[:3, 3],
        output_shape=stack.frames.shape[::-1],
        order=0,
    )
    found: NDArray[np.bool_] = mask.transpose(2, 1, 0) > 0
    return found

"""What the simulator knows of a dataset's scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.stacks import scans_of
from hemocast.pipeline.simulated_truth import SimulatedTruth, mask_on_stack
from hemocast.simulate import Truth
from hemocast.volume import Stack, StackRecord

RECORD = StackRecord("a" * 64, "b" * 64, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1300.0, 0, 0, 0.0)


def test_every_scan_of_the_dataset_is_found_in_the_cohort(
    cohort: Truth, dataset: Dataset, key: bytes
) -> None:
    truth = SimulatedTruth.of(cohort, key)
    labels = dataset.labels()
    scans = scans_of(dataset)
    assert {truth.patient(scan).patient_id for scan in scans} == {
        patient.patient_id for patient in cohort.patients
    }
    for scan in scans:
        patient, planned = truth.patient(scan), truth.planned(scan)
        assert labels[scan.participant_id] == patient.label
        assert planned in patient.scans
    named = [truth.planned(scan).folder for scan in scans]
    assert len(set(named)) == len(named)


def test_another_key_finds_nobody(cohort: Truth, dataset: Dataset) -> None:
    truth = SimulatedTruth.of(cohort, b"x" * 32)
    with pytest.raises(KeyError):
        truth.patient(scans_of(dataset)[0])


def test_a_mask_comes_to_the_stacks_grid_by_nearest_voxel(tmp_path: Path) -> None:
    import nibabel

    mask = np.zeros((20, 20, 10), np.uint8)
    mask[4:8, 10:16, 3:6] = 1
    nibabel.save(nibabel.Nifti1Image(mask, np.diag([1.0, 1.0, 5.0, 1.0])), tmp_path / "m.nii.gz")
    # The same place with pixels half as large, one frame higher.
    affine = np.diag([0.5, 0.5, 5.0, 1.0])
    affine[2, 3] = 5
    shape = (8, 40, 40)
    stack = Stack(np.zeros(shape, np.float32), np.ones(shape, bool), affine, RECORD)
    found = mask_on_stack(tmp_path / "m.nii.gz", stack)
    assert found.shape == shape
    z, y, x = np.nonzero(found)
    assert (z.min(), z.max()) == (2, 4)
    assert (x.min(), x.max()) == (7, 14)
    assert (y.min(), y.max()) == (19, 30)
    assert found.sum() == 3 * 8 * 12

"""Training, validation and prediction see identical stacks of one series."""

from __future__ import annotations

import numpy as np

from hemocast import dicom
from hemocast.config import Config
from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.stacks import scans_of
from hemocast.prepare.cache import kept_stack
from hemocast.prepare.eligibility import eligible_stack
from hemocast.simulate import Truth
from hemocast.volume import from_levels


def test_training_validation_and_prediction_see_identical_stacks(
    cohort: Truth, dataset: Dataset, model, key: bytes
) -> None:
    """DICOM -> prediction on one side; DICOM -> NIfTI -> array that is learnt from on the other."""
    trained = model.trained
    array = np.load(
        dataset.root / "derivatives" / "hemocast" / "runs" / "tiny" / "stacks.npy", mmap_mode="r"
    )
    rows = {scan.scan_id: row for row, scan in enumerate(scans_of(dataset))}
    parts = {
        "train": set(trained.fitted.train.participants),
        "validation": set(trained.fitted.validation.participants),
        "test": set(trained.split.parts["test"]),
    }
    for part, members in parts.items():
        patient = next(p for p in cohort.patients if participant_id(key, p.patient_id) in members)
        folder = cohort.dicom / patient.scans[0].folder
        prediction = trained.model.predict(folder)
        scan_id = f"{participant_id(key, patient.patient_id)}_ses-01"
        learnt = from_levels(array[rows[scan_id]])
        assert np.array_equal(learnt, prediction.stack.frames), part


def test_dicom_and_the_datasets_nifti_give_one_volume_and_stack(
    cohort: Truth, dataset: Dataset, key: bytes, config: Config
) -> None:
    patient = cohort.patients[0]
    scan = next(
        scan
        for scan in scans_of(dataset)
        if scan.scan_id == f"{participant_id(key, patient.patient_id)}_ses-01"
    )
    from_dicom = dicom.read(cohort.dicom / patient.scans[0].folder)
    from_nifti = dicom.read(scan.path)
    assert np.array_equal(from_dicom.hu, from_nifti.hu)
    assert from_dicom.content_hash() == from_nifti.content_hash()
    # The dataset's stacks were kept when its scans were taken in from DICOM.
    kept = kept_stack(from_nifti, config.prepare, dataset.stacks)
    later = eligible_stack(from_nifti, config.prepare)
    assert kept is not None
    assert kept.record == later.record
    assert np.array_equal(kept.frames, later.frames)


def test_test_probabilities_are_those_of_prediction(
    dataset: Dataset, model, config: Config
) -> None:
    trained = model.trained
    for scan, probability in list(zip(trained.test, trained.probability, strict=True))[:2]:
        assert trained.model.predict(scan.path).probability == probability
    assert config.prepare == trained.model.description.prepare

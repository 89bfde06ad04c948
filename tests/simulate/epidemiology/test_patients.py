from __future__ import annotations

import time

import numpy as np
import pytest

from hemocast.config import SimulateConfig
from hemocast.simulate import DEMO, draw_cohort, scan_patient
from hemocast.stats import Cases, auc


@pytest.fixture(scope="module")
def patients():
    return draw_cohort(DEMO.model_copy(update={"n_ht": 500, "n_non": 500, "bleeds": True}))


def test_both_outcomes_have_as_many_as_asked(patients):
    assert sum(p.label for p in patients) == 500
    assert len(patients) == 1000
    assert len({p.patient_id for p in patients}) == 1000
    assert len({s.folder for p in patients for s in p.scans}) == sum(len(p.scans) for p in patients)


def test_nothing_but_the_patient_tells_the_label(patients):
    label = np.array([p.label for p in patients])
    for values in (
        np.arange(len(patients)),
        [len(p.scans) for p in patients],
        [p.scans[0].vendor for p in patients],
        [int(p.scans[0].folder, 16) for p in patients],
        [p.follow_up.last_imaging_hours - p.scans[-1].hours for p in patients if not p.label],
    ):
        if len(values) == len(label):
            assert auc(Cases(label, np.asarray(values, float))) == pytest.approx(0.5, abs=0.06)


def test_the_mean_risk_is_the_share_of_ht(patients):
    for name in ("risk", "risk_image", "risk_clinical"):
        assert np.mean([getattr(p, name) for p in patients]) == pytest.approx(0.5, abs=0.04), name


def test_scans_come_in_order_and_the_infarct_shows_more_with_time(patients):
    several = [p for p in patients if len(p.scans) > 1]
    assert np.mean([len(p.scans) for p in patients]) == pytest.approx(613 / 474, abs=0.1)
    for patient in several:
        first, second = patient.scans[:2]
        assert all(
            b.hours > a.hours for a, b in zip(patient.scans, patient.scans[1:], strict=False)
        )
        assert second.uptake >= first.uptake
        assert second.shift_mm >= first.shift_mm
        assert first.protocol != second.protocol


def test_ht_patients_have_a_grade_and_a_scan_of_their_bleed(patients):
    for patient in patients:
        assert (patient.grade is not None) == bool(patient.label)
        assert (patient.bleed is not None) == bool(patient.label)
        if patient.bleed:
            assert patient.bleed.bleed == patient.follow_up.bleed
            assert patient.bleed.hours > patient.scans[-1].hours + 24
    assert {p.grade for p in patients} == {None, "HI1", "HI2", "PH1", "PH2"}


def test_van_swieten_grades_have_two_parts(patients):
    parts = np.array([p.van_swieten for p in patients])
    assert parts.min() == 0
    assert parts.max() == 2
    assert parts[:, 1].mean() > parts[:, 0].mean()


def test_what_is_not_rendered_does_not_push_the_midline():
    patients = draw_cohort(DEMO.model_copy(update={"visibility": 0}))
    assert {s.shift_mm for p in patients for s in p.scans} == {0.0}
    assert {s.uptake_rendered for p in patients for s in p.scans} == {0.0}


def test_a_cohort_can_be_drawn_again_and_quickly():
    config = SimulateConfig(seed=3)
    start = time.process_time()
    first = draw_cohort(config)
    assert time.process_time() - start < 4  # 474 patients with their three risks: about 0.5
    assert first == draw_cohort(config)
    assert first != draw_cohort(config.model_copy(update={"seed": 4}))


def test_follow_up_is_the_same_head_in_another_pose():
    config = DEMO.model_copy(update={"matrix": 128, "motion_fraction": 0.0, "tilt_fraction": 0.0})
    patients = draw_cohort(config)
    patient = next(p for p in patients if len(p.scans) > 1 and p.infarct.volume_ml > 20)
    first, second = (scan_patient(config, patient, s) for s in patient.scans[:2])
    voxel = first.pixel_mm**2 * 5 / 1000
    assert first.infarct.sum() * voxel == pytest.approx(patient.infarct.volume_ml, rel=0.05)
    assert second.infarct.sum() * voxel == pytest.approx(patient.infarct.volume_ml, rel=0.05)
    assert not np.array_equal(first.positions[:3], second.positions[:3])

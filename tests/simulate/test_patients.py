from __future__ import annotations

import numpy as np
import pytest

from hemocast.config import SimulateConfig
from hemocast.simulate import DEMO, draw_cohort, scan_patient
from hemocast.simulate.patients import CAPACITY_ML
from hemocast.stats import auc


@pytest.fixture(scope="module")
def patients():
    return draw_cohort(DEMO.model_copy(update={"n_ht": 500, "n_non": 500}))


def test_both_outcomes_have_as_many_as_asked(patients):
    assert sum(p.label for p in patients) == 500
    assert len(patients) == 1000
    assert len({p.patient_id for p in patients}) == 1000
    assert len({s.folder for p in patients for s in p.scans}) == sum(len(p.scans) for p in patients)


def test_nothing_but_the_patient_tells_the_label(patients):
    label = np.array([p.label for p in patients])
    order = auc(label, np.arange(len(patients), dtype=float))
    scans = auc(label, np.array([float(len(p.scans)) for p in patients]))
    vendor = auc(label, np.array([float(p.scans[0].vendor) for p in patients]))
    name = auc(label, np.array([float(int(p.scans[0].folder, 16)) for p in patients]))
    assert [order, scans, vendor, name] == pytest.approx([0.5] * 4, abs=0.06)


def test_the_mean_risk_is_the_share_of_ht(patients):
    assert np.mean([p.risk for p in patients]) == pytest.approx(0.5, abs=0.03)


def test_scans_come_in_order_and_the_infarct_shows_more_with_time(patients):
    several = [p for p in patients if len(p.scans) > 1]
    assert np.mean([len(p.scans) for p in patients]) == pytest.approx(613 / 474, abs=0.1)
    for patient in several:
        assert all(
            b.hours > a.hours for a, b in zip(patient.scans, patient.scans[1:], strict=False)
        )
        assert patient.scans[1].uptake >= patient.scans[0].uptake
        assert patient.scans[0].protocol != patient.scans[1].protocol


def test_infarcts_fit_their_territory(patients):
    for patient in patients:
        infarct = patient.infarct
        assert infarct.volume_ml <= CAPACITY_ML.get(infarct.territory, 350)
    assert {p.infarct.side for p in patients} == {"left", "right"}


def test_a_cohort_can_be_drawn_again():
    config = SimulateConfig(seed=3, n_ht=3, n_non=3)
    assert draw_cohort(config) == draw_cohort(config)
    assert draw_cohort(config) != draw_cohort(config.model_copy(update={"seed": 4}))


def test_follow_up_is_the_same_head_in_another_pose(patients):
    patient = next(p for p in patients if len(p.scans) > 1)
    first, second = (scan_patient(DEMO, patient, s) for s in patient.scans[:2])
    voxel = first.pixel_mm**2 * DEMO.slice_mm / 1000
    assert first.infarct.sum() == pytest.approx(second.infarct.sum(), rel=0.03)
    assert first.infarct.sum() * voxel == pytest.approx(patient.infarct.volume_ml, rel=0.05)
    assert not np.array_equal(first.positions[:3], second.positions[:3])

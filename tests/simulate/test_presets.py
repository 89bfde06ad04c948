from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate import DEMO, PRESETS, draw_cohort
from hemocast.simulate.presets import PAPER, PRACTICE, WIDE


def test_the_demo_is_large_enough_for_its_test_part():
    assert DEMO.n_ht + DEMO.n_non >= 120
    assert min(DEMO.n_ht, DEMO.n_non) >= 60
    assert DEMO.matrix == 256
    assert DEMO.thin_fraction == DEMO.mixed_fraction == DEMO.motion_fraction == 0


def test_the_paper_is_as_large_as_the_paper():
    assert PAPER.n_ht + PAPER.n_non == 474
    assert round((PAPER.n_ht + PAPER.n_non) * PAPER.scans_per_patient) == 613
    assert PRESETS["paper"] is PAPER


def test_the_papers_patients_are_as_old_as_the_papers():
    cohorts = [draw_cohort(PAPER.model_copy(update={"seed": seed})) for seed in range(4)]
    people = [patient for cohort in cohorts for patient in cohort]
    assert np.mean([p.age for p in people]) == pytest.approx(62.5, abs=0.8)
    assert np.std([p.age for p in people]) == pytest.approx(11.9, abs=0.5)
    assert np.mean([p.male for p in people]) == pytest.approx(0.74, abs=0.03)
    assert np.mean([len(cohort) for cohort in cohorts]) == 474
    scans = [sum(len(p.scans) for p in cohort) for cohort in cohorts]
    assert np.mean(scans) == pytest.approx(613, abs=20)


def test_practice_has_one_in_ten_and_four_sites_that_differ():
    patients = draw_cohort(PRACTICE)
    assert len(patients) == 600
    assert sum(p.label for p in patients) == 60
    assert PRACTICE.image_strength == PRACTICE.clinical_strength == 1
    by_site = {site.name: [p for p in patients if p.site == site.name] for site in PRACTICE.sites}
    assert len(by_site) == 4
    assert min(map(len, by_site.values())) > 30
    scanners = {name: {p.scans[0].vendor for p in group} for name, group in by_site.items()}
    assert len(set(map(frozenset, scanners.values()))) == 4
    assert {s.protocol.slice_mm for p in patients for s in p.scans} == {1.25, 4.0, 5.0, 6.0}
    assert any(p.thrombectomy for p in patients)
    assert any(s.protocol.mixed for p in patients for s in p.scans)


def test_the_wide_cohort_is_more_various_and_its_outcome_hangs_on_nothing():
    patients = draw_cohort(WIDE.model_copy(update={"n_ht": 150, "n_non": 150}))
    paper = draw_cohort(PAPER)
    assert all(len(p.scans) == 1 for p in patients)
    assert [p.risk_image for p in patients] == pytest.approx([0.5] * 300)
    spread = {
        name: [np.std([value(p) for p in group]) for group in (patients, paper)]
        for name, value in (
            ("age", lambda p: p.age),
            ("volume", lambda p: np.log(p.infarct.volume_ml)),
            ("noise", lambda p: p.scans[0].protocol.noise_hu),
        )
    }
    assert all(wide > usual for wide, usual in spread.values())

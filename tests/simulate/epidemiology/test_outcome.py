from __future__ import annotations

import numpy as np
import pytest
from numpy.random import SeedSequence

from hemocast.simulate.epidemiology.outcome import (
    GRADES,
    draw_follow_up,
    draw_reviews,
    grade_chances,
)


def test_grades_rise_with_the_volume():
    small, large = grade_chances(2.0), grade_chances(200.0)
    assert small.sum() == pytest.approx(1)
    assert large[2:].sum() > small[2:].sum() + 0.2


def test_blood_follows_the_grade_and_comes_after_the_last_scan():
    rng = np.random.default_rng(1)
    for volume in (1.0, 40.0, 340.0):
        for _ in range(200):
            after = draw_follow_up(rng, 1, volume, 30.0)
            share = after.bleed.volume_ml / volume
            if after.bleed.grade == "PH2":
                assert share >= 0.3
            if after.bleed.grade in ("HI1", "PH1"):
                assert share < 0.3
            assert 30 + 24 < after.detected_hours <= after.last_imaging_hours


def test_without_ht_there_is_imaging_a_day_later_and_no_bleed():
    after = draw_follow_up(np.random.default_rng(1), 0, 40.0, 30.0)
    assert after.bleed is None
    assert after.detected_hours is None
    assert after.last_imaging_hours > 54


def test_reviewers_disagree_at_times_and_then_a_committee_decides_for_the_truth():
    disagreed = 0
    for seed in range(600):
        truth = (None, *GRADES)[seed % 5]
        reviews = draw_reviews(SeedSequence(seed), truth)
        first, second = (r.grade for r in reviews[:2])
        if first == second:
            assert len(reviews) == 2
            assert first == (truth or "none")
        else:
            disagreed += 1
            votes = [r.grade for r in reviews[2:]]
            assert len(votes) == 3
            assert votes.count(truth or "none") >= 2
    assert 0.08 < disagreed / 600 < 0.24

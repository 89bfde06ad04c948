from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from hemocast.config import SimulateConfig
from hemocast.simulate.presets import DEMO
from hemocast.simulate.risk import (
    Population,
    clinical_log_odds,
    draw_population,
    image_log_odds,
    image_risks,
    in_cohort,
    intercept,
    risks,
    water_uptake,
)
from hemocast.stats import auc


@pytest.mark.parametrize("config", [SimulateConfig(), DEMO, SimulateConfig(prevalence=0.03)])
def test_prevalence_and_mean_risk_agree_with_the_settings(config):
    people = draw_population(config, np.random.default_rng(1), 20_000)
    risk = risks(config, people)
    assert risk.mean() == pytest.approx(config.prevalence, abs=0.01)
    outcome = np.random.default_rng(2).random(people.size) < risk
    standard_error = np.sqrt((risk * (1 - risk)).sum()) / people.size
    assert abs(outcome.mean() - risk.mean()) < 4 * standard_error


def test_outcomes_are_calibrated_to_the_risk():
    people = draw_population(DEMO, np.random.default_rng(3), 20_000)
    risk = risks(DEMO, people)
    outcome = np.random.default_rng(4).random(people.size) < risk
    for low, high in ((0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1)):
        part = (risk >= low) & (risk < high)
        assert outcome[part].mean() == pytest.approx(risk[part].mean(), abs=0.02)


def test_image_risk_is_the_mean_risk_among_patients_who_look_alike():
    """Monte Carlo: fix what the image shows, draw the record again."""
    config = SimulateConfig(image_strength=1.5)
    rng = np.random.default_rng(7)
    people = draw_population(config, rng, 60_000)
    one = {f.name: getattr(people, f.name)[:1].copy() for f in fields(Population)}
    volume = one["volume_ml"][0]
    alike = people.leukoaraiosis == one["leukoaraiosis"][0]
    nihss = np.clip(np.rint(1 + 2 * np.log2(volume + 1) + rng.normal(0, 4, people.size)), 0, 42)
    drawn = {f.name: getattr(people, f.name)[alike] for f in fields(Population)} | {
        "nihss": nihss[alike]
    }
    record = clinical_log_odds(config, Population(**drawn))
    shown = image_log_odds(config, Population(**one))
    expected = (1 / (1 + np.exp(-(intercept(config) + shown + record)))).mean()
    assert image_risks(config, Population(**one))[0] == pytest.approx(expected, abs=0.01)


def test_ceilings_of_the_demo():
    people = draw_population(DEMO, np.random.default_rng(5), 4_000)
    risk = risks(DEMO, people)
    label = (np.random.default_rng(6).random(people.size) < risk).astype(int)
    assert 0.93 < auc(label, risk) < 0.97
    assert auc(label, image_risks(DEMO, people)) > auc(label, risk) - 0.02
    assert auc(label, people.volume_ml) < auc(label, risk) - 0.03


def test_sampling_by_outcome_multiplies_the_odds_by_one_constant():
    risk = np.array([0.01, 0.2, 0.7])
    changed = in_cohort(risk, DEMO)
    ratio = (changed / (1 - changed)) / (risk / (1 - risk))
    assert ratio == pytest.approx(ratio[0])
    assert ratio[0] == pytest.approx((1 - DEMO.prevalence) / DEMO.prevalence)


def test_water_uptake_starts_at_nothing_and_saturates():
    hours = np.array([0.0, 3.0, 12.0, 500.0])
    uptake = water_uptake(np.full(4, 0.25), hours)
    assert uptake[0] == 0
    assert np.all(np.diff(uptake) > 0)
    assert uptake[-1] == pytest.approx(0.25)


def test_volumes_keep_to_their_limits():
    config = SimulateConfig(volume_sigma=3.0)
    volume = draw_population(config, np.random.default_rng(9), 5_000).volume_ml
    assert volume.min() >= config.volume_min_ml
    assert volume.max() <= config.volume_max_ml
    fixed = SimulateConfig(volume_sigma=0.0)
    assert set(draw_population(fixed, np.random.default_rng(9), 9).volume_ml) == {25.0}

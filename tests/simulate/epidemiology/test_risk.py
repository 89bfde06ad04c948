from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from hemocast.config import SimulateConfig
from hemocast.simulate.epidemiology.population import TREATMENTS, Population, draw_population
from hemocast.simulate.epidemiology.risk import (
    HTI_STEP,
    LOG_ODDS,
    clinical_log_odds,
    image_log_odds,
    in_cohort,
    risks,
)
from hemocast.simulate.presets import DEMO, PRACTICE


@pytest.mark.parametrize("config", [SimulateConfig(), DEMO, PRACTICE], ids=["paper", "demo", "pr"])
def test_prevalence_is_the_one_set_within_monte_carlo_error(config):
    n = 5_000
    risk = risks(config, draw_population(config, np.random.default_rng(1), n))
    outcome = np.random.default_rng(2).random(n) < risk
    spread = np.sqrt(config.prevalence * (1 - config.prevalence) / n)
    assert outcome.mean() == pytest.approx(config.prevalence, abs=3.5 * spread)
    error = np.sqrt((risk * (1 - risk)).sum()) / n
    assert abs(outcome.mean() - risk.mean()) < 4 * error


def changed(people: Population, **factors) -> Population:
    arrays = {
        name: np.full(people.size, value, getattr(people, name).dtype)
        for name, value in factors.items()
    }
    return Population(**(vars(people) | arrays))


CONFIG = SimulateConfig(image_strength=1, clinical_strength=1)


@pytest.mark.parametrize(
    ("before", "after", "odds_ratio"),
    [
        ({"volume_ml": 20.0}, {"volume_ml": 40.0}, 1.60),
        ({"uptake_max": 0.1}, {"uptake_max": 0.2}, 1.80),
        ({"aspects": 8}, {"aspects": 6}, np.exp(HTI_STEP / 2)),
        ({"aspects": 7}, {"aspects": 2}, np.exp(3 * HTI_STEP / 2)),
        ({"hyperdense": False}, {"hyperdense": True}, np.exp(HTI_STEP / 2)),
        ({"van_swieten": 0}, {"van_swieten": 2}, 1.65),
        ({"van_swieten": 0}, {"van_swieten": 3}, 2.4),
        ({"age": 60.0}, {"age": 70.0}, 1.5),
        ({"nihss": 9.0}, {"nihss": 10.0}, 1.13),
        ({"atrial_fibrillation": False}, {"atrial_fibrillation": True}, 2.5),
        ({"glucose": 6.0}, {"glucose": 7.0}, 1.08),
        ({"systolic": 140.0}, {"systolic": 150.0}, 1.07),
        ({"thrombectomy": False}, {"thrombectomy": True}, 1.5),
        ({"needle_hours": 2.9}, {"needle_hours": 3.0}, np.exp(LOG_ODDS["late"])),
        ({"treatment": 3}, {"treatment": TREATMENTS.index("anticoagulant")}, 1.3),
        ({"treatment": 3}, {"treatment": TREATMENTS.index("thrombolytic")}, 1.5),
        ({"old_infarct": False}, {"old_infarct": True}, 1.0),
    ],
)
def test_every_factor_has_its_odds_ratio(before, after, odds_ratio):
    people = draw_population(CONFIG, np.random.default_rng(5), 20)
    first, second = (
        image_log_odds(CONFIG, group) + clinical_log_odds(CONFIG, group)
        for group in (changed(people, **before), changed(people, **after))
    )
    assert np.exp(second - first) == pytest.approx(odds_ratio, rel=1e-6)


def test_the_step_of_hti_is_the_mean_step_of_its_published_logits():
    published = logit(np.array([0.027, 0.070, 0.169, 0.346, 0.571, 0.768]))
    assert pytest.approx(np.diff(published).mean()) == HTI_STEP


def test_strength_multiplies_log_odds():
    people = draw_population(CONFIG, np.random.default_rng(5), 20)
    twice = CONFIG.model_copy(update={"image_strength": 2, "clinical_strength": 3})
    assert image_log_odds(twice, people) == pytest.approx(2 * image_log_odds(CONFIG, people))
    assert clinical_log_odds(twice, people) == pytest.approx(3 * clinical_log_odds(CONFIG, people))


def test_sampling_by_outcome_multiplies_the_odds_by_one_constant():
    risk = np.array([0.01, 0.2, 0.7])
    after = in_cohort(risk, DEMO)
    ratio = (after / (1 - after)) / (risk / (1 - risk))
    assert ratio == pytest.approx(ratio[0])
    assert ratio[0] == pytest.approx((1 - DEMO.prevalence) / DEMO.prevalence)
    assert in_cohort(risk, PRACTICE) == pytest.approx(risk)

"""Ceilings: calibrated, never above the truth, and the same as brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from hemocast.config import SimulateConfig
from hemocast.simulate.epidemiology.ceilings import (
    RENDERED_UPTAKE,
    ceilings,
    clinical_risks,
    expected_auc,
    image_risks,
)
from hemocast.simulate.epidemiology.population import (
    Population,
    draw_lesions,
    draw_population,
    water_uptake,
)
from hemocast.simulate.epidemiology.risk import (
    LEUKOARAIOSIS,
    clinical_log_odds,
    image_log_odds,
    intercept,
    risks,
    uptake_log_odds,
)
from hemocast.simulate.presets import DEMO, PRACTICE, PRESETS
from hemocast.stats import Cases, auc

N = 5_000
SETTINGS = {
    "paper": SimulateConfig(),
    "demo": DEMO,
    "practice": PRACTICE,
    "unseen lesion": SimulateConfig(visibility=0),
}


@pytest.fixture(scope="module", params=SETTINGS)
def drawn(request):
    """5,000 patients of a cohort's settings, with outcomes and all three risks."""
    config = SETTINGS[request.param]
    people = draw_population(config, np.random.default_rng(3), N)
    risk = risks(config, people)
    label = (np.random.default_rng(4).random(N) < risk).astype(int)
    return label, {
        "true": risk,
        "image": image_risks(config, people),
        "clinical": clinical_risks(config, people),
    }


def test_mean_outcome_follows_the_risk_in_every_tenth(drawn):
    label, by_name = drawn
    for name, risk in by_name.items():
        for part in np.array_split(np.argsort(risk), 10):
            error = np.sqrt((risk[part] * (1 - risk[part])).sum()) / len(part)
            off = label[part].mean() - risk[part].mean()
            assert abs(off) < 4 * error + 1e-3, name


def test_auc_on_outcomes_is_the_one_expected_of_the_risk(drawn):
    label, by_name = drawn
    n1, n0 = label.sum(), N - label.sum()
    for name, risk in by_name.items():
        theory = expected_auc(risk)
        error = np.sqrt(theory * (1 - theory) / min(n1, n0))  # no smaller than the true one
        assert auc(Cases(label, risk)) == pytest.approx(theory, abs=3 * error), name


def test_who_sees_a_part_never_beats_who_knows_all(drawn):
    label, by_name = drawn
    best = auc(Cases(label, by_name["true"]))
    for name in ("image", "clinical"):
        assert expected_auc(by_name[name]) < expected_auc(by_name["true"])
        assert auc(Cases(label, by_name[name])) < best + 0.01
        # What is not seen is averaged out: the same mean, a smaller spread.
        assert by_name[name].mean() == pytest.approx(by_name["true"].mean(), abs=0.006)
        assert by_name[name].std() < by_name["true"].std()


def test_expected_auc_is_the_sum_over_pairs():
    risk = np.array([0.1, 0.1, 0.4, 0.9, 0.05])
    won = total = 0.0
    for i in range(5):
        for j in range(5):
            if i != j:
                weight = risk[i] * (1 - risk[j])
                total += weight
                won += weight * (1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0)
    assert expected_auc(risk) == pytest.approx(won / total)
    assert expected_auc(np.full(9, 0.3)) == pytest.approx(0.5)


def _look_alike(config: SimulateConfig, one: Population, rng) -> Population:
    """Patients whom the image cannot tell from one: many are drawn, and some weighted away."""
    many = draw_population(config, rng, 150_000)
    same = (many.site == one.site[0]) & (many.van_swieten == one.van_swieten[0])
    return many.take(np.flatnonzero(same))


@pytest.mark.parametrize("row", [0, 1, 5])
def test_image_risk_is_the_mean_over_patients_who_look_alike(row):
    """Brute force: weigh drawn records by how well they go with the volume and the uptake."""
    config = SimulateConfig(thrombectomy_share=0.3)
    one = draw_population(config, np.random.default_rng(7), 6).take(np.array([row]))
    alike = _look_alike(config, one, np.random.default_rng(8))
    # NIHSS comes from the volume: draw it anew for this one's.
    middle = 1 + 2 * np.log2(one.volume_ml[0] + 1)
    nihss = np.clip(np.rint(np.random.default_rng(9).normal(middle, 4, alike.size)), 0, 42)
    record = Population(**(vars(alike) | {"nihss": nihss}))
    # Treatment comes from the time: keep whose uptake is nearly this one's.
    near = np.exp(-0.5 * ((np.log(alike.uptake) - np.log(one.uptake[0])) / 0.03) ** 2)
    shown = intercept(config) + image_log_odds(config, one)
    mean = np.average(expit(shown + clinical_log_odds(config, record)), weights=near)
    effective = near.sum() ** 2 / (near**2).sum()
    assert effective > 400
    assert image_risks(config, one)[0] == pytest.approx(mean, abs=0.7 / np.sqrt(effective))


def test_uptake_beyond_the_cap_is_averaged_over():
    config = SimulateConfig(visibility=4)
    people = draw_population(config, np.random.default_rng(7), 400)
    capped = np.flatnonzero(config.visibility * people.uptake >= RENDERED_UPTAKE)
    assert len(capped) > 50
    one = people.take(capped[:1])
    alike = _look_alike(config, one, np.random.default_rng(8))
    alike = alike.take(np.flatnonzero(config.visibility * alike.uptake >= RENDERED_UPTAKE))
    middle = 1 + 2 * np.log2(one.volume_ml[0] + 1)
    nihss = np.clip(np.rint(np.random.default_rng(9).normal(middle, 4, alike.size)), 0, 42)
    record = clinical_log_odds(config, Population(**(vars(alike) | {"nihss": nihss})))
    shown = intercept(config) + image_log_odds(config, one)
    hidden = config.image_strength * (uptake_log_odds(alike.uptake) - uptake_log_odds(one.uptake))
    mean = expit(shown + hidden + record).mean()
    assert image_risks(config, one)[0] == pytest.approx(mean, abs=0.004)
    other = Population(**(vars(one) | {"uptake_max": one.uptake_max * 1.1}))
    assert image_risks(config, other) == pytest.approx(image_risks(config, one))


@pytest.mark.parametrize("row", [0, 1, 5])
def test_clinical_risk_is_the_mean_over_images_that_go_with_the_record(row):
    """Brute force: draw lesions, and weigh them by how well they go with the NIHSS."""
    config = SimulateConfig()
    one = draw_population(config, np.random.default_rng(7), 6).take(np.array([row]))
    rng = np.random.default_rng(10)
    n = 150_000
    many = draw_population(config, rng, n)
    lesions = draw_lesions(many.volume_ml, rng)
    # Rounding: every NIHSS from 1 to 41 stands for an interval one wide.
    middle = 1 + 2 * np.log2(lesions.volume_ml + 1)
    fits = np.clip(np.rint(rng.normal(middle, 4)), 0, 42) == one.nihss[0]
    image = config.image_strength * (
        _lesion(lesions)
        + uptake_log_odds(water_uptake(many.uptake_max, np.full(n, one.hours[0])))
        + LEUKOARAIOSIS[_grades(one.age[0], n, rng)]
    )
    record = intercept(config) + clinical_log_odds(config, one)
    expected = expit(record + image[fits])
    assert fits.sum() > 300
    error = expected.std() / np.sqrt(fits.sum())
    assert clinical_risks(config, one)[0] == pytest.approx(expected.mean(), abs=4 * error + 1e-3)


def _lesion(lesions):
    from hemocast.simulate.epidemiology.risk import lesion_log_odds

    return lesion_log_odds(lesions)


def _grades(age, n, rng):
    """Draw van Swieten grades from the ordered logistic model, by its latent variable."""
    latent = (age + 9.0 * rng.logistic(size=n))[:, None]
    return (latent >= np.array([62.0, 74.0, 82.0, 92.0])).sum(axis=1)


def test_presets_reach_the_ceilings_they_were_chosen_for():
    paper, demo = ceilings(PRESETS["paper"]), ceilings(PRESETS["demo"])
    assert paper.image == pytest.approx(0.90, abs=0.006)
    assert 0.95 < demo.image < demo.true < 0.975
    practice = ceilings(PRESETS["practice"])
    assert practice.image < paper.image - 0.03

from __future__ import annotations

import numpy as np
import pytest

from hemocast.config import SimulateConfig, SiteConfig
from hemocast.simulate.disease.lesion import TERRITORIES
from hemocast.simulate.epidemiology.population import (
    CAPACITY_ML,
    TREATMENTS,
    choose,
    draw_population,
    nihss_chances,
    van_swieten_chances,
    water_uptake,
)


@pytest.fixture(scope="module")
def people():
    return draw_population(SimulateConfig(age_mean=62.5), np.random.default_rng(2), 20_000)


def test_age_and_sex_are_as_asked(people):
    assert people.age.mean() == pytest.approx(62.5, abs=0.4)
    assert people.age.std() == pytest.approx(11.9, abs=0.4)
    assert people.male.mean() == pytest.approx(0.74, abs=0.015)


def test_treatments_agree_with_the_time(people):
    lysed = people.treatment == TREATMENTS.index("thrombolytic")
    assert lysed.mean() == pytest.approx(0.21, abs=0.015)
    assert people.hours[lysed].min() >= 0.75
    assert people.hours[lysed].max() <= 4.5
    assert people.hours[~lysed].min() >= 4.5
    assert people.hours[~lysed].max() <= 72
    assert np.array_equal(np.isfinite(people.needle_hours), lysed)
    assert np.all(people.needle_hours[lysed] <= 4.5)
    assert np.all(people.needle_hours[lysed] >= people.hours[lysed])
    assert not people.thrombectomy.any()


def test_thrombectomy_is_done_to_a_share_of_who_comes_in_time():
    config = SimulateConfig(thrombectomy_share=0.4)
    people = draw_population(config, np.random.default_rng(3), 10_000)
    assert not people.thrombectomy[people.hours > 24].any()
    assert people.thrombectomy[people.hours <= 24].mean() == pytest.approx(0.4, abs=0.02)


def test_infarcts_fit_their_territory_and_lie_on_both_sides(people):
    capacity = np.array([CAPACITY_ML.get(name, np.inf) for name in TERRITORIES])
    assert np.all(people.volume_ml <= capacity[people.territory])
    assert np.bincount(people.territory, minlength=len(TERRITORIES)).min() > 0
    assert people.left.mean() == pytest.approx(0.5, abs=0.02)
    mca = np.array([name.startswith("MCA") for name in TERRITORIES])[people.territory]
    assert not people.hyperdense[~mca].any()
    assert people.hyperdense[mca & (people.volume_ml > 100)].mean() > 2 * people.hyperdense.mean()


def test_aspects_falls_with_the_volume(people):
    mca = people.territory == TERRITORIES.index("MCA")
    small, large = (people.volume_ml < 20) & mca, (people.volume_ml > 150) & mca
    assert people.aspects[small].mean() > people.aspects[large].mean() + 4
    assert set(people.aspects) <= set(range(11))


def test_leukoaraiosis_and_old_infarcts_come_with_age(people):
    old, young = people.age > 75, people.age < 55
    assert people.van_swieten[old].mean() > people.van_swieten[young].mean() + 1
    assert people.old_infarct[old].mean() > people.old_infarct[young].mean() + 0.1
    expected = van_swieten_chances(people.age).mean(axis=0)
    assert np.bincount(people.van_swieten) / people.size == pytest.approx(expected, abs=0.015)


def test_chances_sum_to_one():
    assert nihss_chances(np.array([0.5, 30, 300])).sum(axis=1) == pytest.approx(1)
    assert van_swieten_chances(np.array([25.0, 60, 95])).sum(axis=1) == pytest.approx(1)
    assert np.all(van_swieten_chances(np.linspace(25, 95, 50)) > 0)


def test_choose_picks_each_column_as_often_as_its_chance():
    chances = np.broadcast_to([0.2, 0.0, 0.5, 0.3], (10_000, 4))
    picked = choose(chances, (np.arange(10_000) + 0.5) / 10_000)
    assert np.bincount(picked, minlength=4).tolist() == [2000, 0, 5000, 3000]


def test_sites_have_their_share_and_case_mix():
    sites = (
        SiteConfig(name="near", share=3),
        SiteConfig(name="far", age_shift=10, volume_factor=2),
    )
    people = draw_population(SimulateConfig(sites=sites), np.random.default_rng(4), 8_000)
    far = people.site == 1
    assert far.mean() == pytest.approx(0.25, abs=0.02)
    assert people.age[far].mean() - people.age[~far].mean() == pytest.approx(10, abs=1)
    ratio = np.median(people.volume_ml[far]) / np.median(people.volume_ml[~far])
    assert 1.4 < ratio < 2  # less than 2, for volumes have a limit


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

"""Who falls ill: the joint distribution of all factors, before any sampling by outcome.

::

    site -> age -> van Swieten grade, atrial fibrillation, old infarct
    site -> volume -> NIHSS, territory (with pattern and side) -> ASPECTS, hyperdense artery
    treatment -> hours to the first scan -> water uptake; thrombectomy
    glucose, systolic pressure, sex: on their own

Age and sex are the paper's (Zhang 2026, 10.3389/fnins.2025.1753071: 62.5 +- 11.9 years, 74 % men),
age once the cohort is sampled by outcome, and so is the share of thrombolysis (21 %); the other
distributions are ours, chosen to look like a stroke unit's. Factors that are not linked above are
independent, which is what makes the ceilings of `hemocast.simulate.epidemiology.ceilings`
computable.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from hemocast.config import SimulateConfig, SiteConfig
from hemocast.simulate.disease.aspects import aspects
from hemocast.simulate.disease.lesion import PATTERNS, TERRITORIES, Territory

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.intp]

TREATMENTS = ("thrombolytic", "antiplatelet", "anticoagulant", "none")
"""As the dataset's ``clinical.tsv`` calls them; thrombectomy may come on top of each."""

THROMBOLYSIS_HOURS = (0.75, 4.5)
"""First scan of the thrombolysed, and end of the window for thrombolysis (ECASS III, Hacke 2008,
10.1056/NEJMoa0804656)."""

OTHER_HOURS = (4.5, 72.0)
"""First scan of the others: log-normal with `OTHER_MEDIAN` and `OTHER_SIGMA` between these."""

OTHER_MEDIAN, OTHER_SIGMA = 14.0, 0.7

DOOR_TO_NEEDLE_HOURS = (0.25, 1.0)
"""From the first scan to thrombolysis, uniform, but never beyond the window; ours."""

THROMBECTOMY_HOURS = 24.0
"""A first scan later than this leaves no thrombectomy (DAWN, Nogueira 2018,
10.1056/NEJMoa1706442)."""

UPTAKE_HOURS = 14.0
"""Time constant with which water uptake saturates; ours. That uptake rises from onset on is the
finding of Minnerup 2016 (Ann Neurol)."""

UPTAKE_MEDIAN, UPTAKE_SIGMA, UPTAKE_LIMITS = 0.24, 0.35, (0.08, 0.5)
"""Water uptake that an infarct tends to: log-normal within limits; ours."""

NIHSS_SPREAD = 4.0

VAN_SWIETEN_MIDDLES = (62.0, 74.0, 82.0, 92.0)
"""Ages at which half of all people have a van Swieten grade of at least 1, 2, 3, 4; ours, so that
about 7 % have 3 or 4 at the paper's ages and half at 82."""

VAN_SWIETEN_WIDTH = 9.0

TERRITORY_SHARES: dict[Territory, float] = {
    "MCA": 0.28, "MCA superior": 0.16, "MCA inferior": 0.14, "MCA deep": 0.11, "PCA": 0.12,
    "ACA": 0.08, "cerebellar": 0.09, "pons": 0.02,
}  # fmt: skip
"""Shares among infarcts that any of them could hold; ours, MCA most."""

CAPACITY_ML: dict[Territory, float] = {
    "lacunar": 1.5, "pons": 4.0, "MCA deep": 35.0, "cerebellar": 45.0, "ACA": 70.0, "PCA": 80.0,
    "MCA superior": 110.0, "MCA inferior": 100.0,
}  # fmt: skip
"""Largest infarct drawn for a territory, mL; ours. Only the whole MCA's goes beyond. All up to the
lacunar capacity are lacunar, but for one in ten in the pons."""

HYPERDENSE_CHANCE: dict[Territory, float] = {
    "MCA": 0.5, "MCA superior": 0.2, "MCA inferior": 0.2, "MCA deep": 0.3,
}  # fmt: skip
"""Of a hyperdense artery with a large infarct; ours."""

LACUNAR_PONS = 0.1


@dataclass(frozen=True)
class Lesions:
    """What follows from the volumes of many infarcts alone, one array entry each.

    Parameters
    ----------
    volume_ml : ndarray
        Infarct volume, mL.
    territory : ndarray of int
        Index into `lesion.TERRITORIES`.
    pattern : ndarray of int
        Which of the territory's growth maps.
    aspects : ndarray of int
        0 to 10; 10 outside the MCA.
    hyperdense : ndarray of bool
        The artery is hyperdense.
    """

    volume_ml: Floats
    territory: Whole
    pattern: Whole
    aspects: Whole
    hyperdense: Bools


@dataclass(frozen=True)
class Population(Lesions):
    """Factors of many patients, one array entry each, before any sampling by outcome.

    Parameters
    ----------
    site : ndarray of int
        Index into `sites_of`.
    age, nihss, glucose, systolic : ndarray
        Years, points, mmol/L, mmHg.
    male, atrial_fibrillation : ndarray of bool
        Yes or no.
    van_swieten : ndarray of int
        Grade of leukoaraiosis, anterior and posterior together, 0 to 4.
    treatment : ndarray of int
        Index into `TREATMENTS`.
    thrombectomy : ndarray of bool
        Done too.
    hours : ndarray
        Hours from onset to the first scan.
    needle_hours : ndarray
        Hours from onset to thrombolysis; nan without.
    left : ndarray of bool
        The infarct lies on the patient's left.
    uptake_max : ndarray
        Net water uptake the infarct tends to.
    old_infarct : ndarray of bool
        There is an older one; does not enter the risk.
    """

    site: Whole
    age: Floats
    male: Bools
    nihss: Floats
    glucose: Floats
    systolic: Floats
    atrial_fibrillation: Bools
    van_swieten: Whole
    treatment: Whole
    thrombectomy: Bools
    hours: Floats
    needle_hours: Floats
    left: Bools
    uptake_max: Floats
    old_infarct: Bools

    @property
    def uptake(self) -> Floats:
        """Net water uptake at the first scan."""
        return water_uptake(self.uptake_max, self.hours)

    @property
    def size(self) -> int:
        """Number of patients."""
        return len(self.age)

    def take(self, rows: NDArray[np.intp] | slice) -> Population:
        """Return some patients, in the order of `rows`."""
        return Population(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def join(parts: list[Population]) -> Population:
    """Put populations one behind the other."""
    return Population(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Population)}
    )


def sites_of(config: SimulateConfig) -> tuple[SiteConfig, ...]:
    """Return the sites; where none is set, one named A that scans as the cohort says."""
    if config.sites:
        return config.sites
    shared = set(SiteConfig.model_fields) & set(SimulateConfig.model_fields)
    return (SiteConfig(name="A", **{name: getattr(config, name) for name in shared}),)


def water_uptake(uptake_max: Floats, hours: Floats) -> Floats:
    """Return the net water uptake `hours` after onset, 0 to 1."""
    return np.asarray(np.asarray(uptake_max) * saturation(hours))


def saturation(hours: Floats) -> Floats:
    """Return the part of the final water uptake that is reached after some hours, 0 to 1."""
    return np.asarray(-np.expm1(-np.asarray(hours, dtype=np.float64) / UPTAKE_HOURS))


def log_normal(
    quantile: Floats, median: Floats | float, sigma: float, limits: tuple[float, float]
) -> Floats:
    """Return quantiles of a log-normal distribution cut off at two limits."""
    if sigma == 0:
        return np.broadcast_to(np.asarray(median, dtype=np.float64), quantile.shape).copy()
    low, high = (ndtr(np.log(limit / np.asarray(median)) / sigma) for limit in limits)
    return np.asarray(median * np.exp(sigma * ndtri(low + (high - low) * quantile)))


def volumes(config: SimulateConfig, site: Whole, quantile: Floats) -> Floats:
    """Return volumes, mL, at quantiles of their distribution at each patient's site."""
    factor = np.array([s.volume_factor for s in sites_of(config)])[site]
    limits = (config.volume_min_ml, config.volume_max_ml)
    return log_normal(quantile, config.volume_median_ml * factor, config.volume_sigma, limits)


def nihss_chances(volume_ml: Floats) -> Floats:
    """Return the chance of every NIHSS, 0 to 42, at each volume: shape (n, 43); ours.

    About 2 points for a doubling of the volume, with a spread of 4.
    """
    middle = 1.0 + 2.0 * np.log2(np.asarray(volume_ml) + 1)
    below = ndtr((np.arange(42) + 0.5 - middle[:, None]) / NIHSS_SPREAD)
    return np.asarray(np.diff(below, axis=1, prepend=0.0, append=1.0))


def van_swieten_chances(age: Floats) -> Floats:
    """Return the chance of every van Swieten grade, 0 to 4, at each age: shape (n, 5)."""
    at_least = expit((np.asarray(age)[:, None] - np.array(VAN_SWIETEN_MIDDLES)) / VAN_SWIETEN_WIDTH)
    return np.asarray(-np.diff(at_least, axis=1, prepend=1.0, append=0.0))


def fibrillation_chance(age: Floats) -> Floats:
    """Return the chance of atrial fibrillation at an age; ours, rising with age."""
    return np.asarray(expit((np.asarray(age) - 78) / 10))


def hyperdense_chance(territory: Whole, volume_ml: Floats) -> Floats:
    """Return the chance of a hyperdense artery: MCA only, the more the larger; ours."""
    top = np.array([HYPERDENSE_CHANCE.get(name, 0.0) for name in TERRITORIES])
    return np.asarray(top[territory] * (0.15 + 0.85 * np.minimum(np.asarray(volume_ml) / 120, 1)))


def treatment_shares(config: SimulateConfig) -> Floats:
    """Return the shares of `TREATMENTS`."""
    given = (config.thrombolysis_share, config.antiplatelet_share, config.anticoagulation_share)
    return np.array([*given, max(1 - sum(given), 0)])


def other_hours(quantile: Floats) -> Floats:
    """Return hours to the first scan of who is not thrombolysed, at quantiles."""
    return log_normal(quantile, OTHER_MEDIAN, OTHER_SIGMA, OTHER_HOURS)


def choose(chances: Floats, quantile: Floats) -> Whole:
    """Pick a column of each row: the one in which the row's quantile falls."""
    edges = np.cumsum(chances, axis=1)
    return np.asarray(np.sum(quantile[:, None] * edges[:, -1:] >= edges[:, :-1], axis=1))


def draw_territories(volume_ml: Floats, quantile: Floats) -> Whole:
    """Pick territories that can hold the volumes, at quantiles."""
    capacity = np.array([CAPACITY_ML.get(name, np.inf) for name in TERRITORIES])
    shares = np.array([TERRITORY_SHARES.get(name, 0.0) for name in TERRITORIES])
    chances = shares * (volume_ml[:, None] <= capacity)
    small = volume_ml <= CAPACITY_ML["lacunar"]
    chances[small] = 0.0
    chances[small, TERRITORIES.index("lacunar")] = 1 - LACUNAR_PONS
    chances[small, TERRITORIES.index("pons")] = LACUNAR_PONS
    return choose(chances, quantile)


def draw_lesions(volume_ml: Floats, rng: Generator) -> Lesions:
    """Draw where infarcts of given volumes lie, and what follows from that."""
    n = len(volume_ml)
    territory = draw_territories(volume_ml, rng.random(n))
    pattern = rng.integers(PATTERNS, size=n)
    return Lesions(
        volume_ml=volume_ml,
        territory=territory,
        pattern=pattern,
        aspects=aspects(np.array(TERRITORIES)[territory], pattern, volume_ml).astype(np.intp),
        hyperdense=rng.random(n) < hyperdense_chance(territory, volume_ml),
    )


def draw_population(config: SimulateConfig, rng: Generator, n: int) -> Population:
    """Draw the factors of `n` patients; the module's text says how they hang together."""
    sites = sites_of(config)
    share = np.array([s.share for s in sites])
    site = choose(np.broadcast_to(share, (n, len(sites))), rng.random(n))
    shift = np.array([s.age_shift for s in sites])[site]
    age = np.clip(rng.normal(config.age_mean, config.age_sd, n) + shift, 25, 95)
    volume = volumes(config, site, rng.random(n))
    lesion = draw_lesions(volume, rng)
    treatment = choose(np.broadcast_to(treatment_shares(config), (n, 4)), rng.random(n))
    lysed = treatment == 0
    quick = rng.uniform(*THROMBOLYSIS_HOURS, n)
    hours = np.where(lysed, quick, other_hours(rng.random(n)))
    needle = np.minimum(hours + rng.uniform(*DOOR_TO_NEEDLE_HOURS, n), THROMBOLYSIS_HOURS[1])
    return Population(
        **vars(lesion),
        site=site,
        age=age,
        male=rng.random(n) < config.male_share,
        nihss=choose(nihss_chances(volume), rng.random(n)).astype(np.float64),
        glucose=5.0 + rng.gamma(1.8, 1.3, n),
        systolic=np.clip(rng.normal(152, 22, n), 90, 230),
        atrial_fibrillation=rng.random(n) < fibrillation_chance(age),
        van_swieten=choose(van_swieten_chances(age), rng.random(n)),
        treatment=treatment,
        thrombectomy=(hours <= THROMBECTOMY_HOURS) & (rng.random(n) < config.thrombectomy_share),
        hours=hours,
        needle_hours=np.where(lysed, needle, np.nan),
        left=rng.random(n) < 0.5,
        uptake_max=log_normal(rng.random(n), UPTAKE_MEDIAN, UPTAKE_SIGMA, UPTAKE_LIMITS),
        old_infarct=rng.random(n) < np.clip(0.02 + 0.006 * (age - 45), 0.02, 0.3),
    )

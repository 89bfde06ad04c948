"""The one model from which outcomes are drawn: log odds of HT from the image and the patient.

=========================  ==========  ===========================================================
factor                     odds ratio  source
=========================  ==========  ===========================================================
infarct volume             1.60 a      ours. HeRS (Marsh 2013, PMC3711260) found 1.10 per 10 mL,
                           doubling    linear; a logarithm keeps 300 mL within reason
net water uptake           1.80 per    ours; degree of hypodensity is in HAT (Lou 2008,
                           doubling    10.1212/01.wnl.0000330297.58334.dd) without an odds ratio
leukoaraiosis              1.65        Kongbunkiat 2017 (relative risk of any bleed, used as OR)
age                        1.50 per    HeRS (Marsh 2013)
                           10 years
NIHSS                      1.13 per    TURN (Asuzu 2015)
                           point
atrial fibrillation        2.50        from IST-1's rates, .60 against .24 % (Sandercock 2011)
glucose                    1.08 per    ours; a risk factor in HAT, SEDAN, GRASPS
                           mmol/L
systolic pressure          1.07 per    ours; a risk factor in SITS-SICH and GRASPS
                           10 mmHg
thrombolysis               1.50        ours
anticoagulation            1.30        ours
=========================  ==========  ===========================================================

Odds ratios from different studies, outcomes and adjustments are put side by side: the model is a
simulator's, not a clinical score. The intercept gives the configured prevalence; sampling by
outcome then changes only the intercept (Prentice and Pyke 1979, 10.1093/biomet/66.3.403).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from hemocast.config import SimulateConfig

Floats = NDArray[np.float64]

LOG_ODDS = {
    "volume": np.log(1.60) / np.log(2),
    "uptake": np.log(1.80) / np.log(2),
    "leukoaraiosis": np.log(1.65),
    "age": np.log(1.50) / 10,
    "nihss": np.log(1.13),
    "atrial_fibrillation": np.log(2.5),
    "glucose": np.log(1.08),
    "systolic": np.log(1.07) / 10,
    "thrombolysis": np.log(1.5),
    "anticoagulation": np.log(1.3),
}

TREATMENTS = ("antiplatelet", "thrombolysis", "anticoagulation", "none")
TREATMENT_SHARES = (0.55, 0.21, 0.08, 0.16)
"""Thrombolysis as in the paper's cohort (21 %); the other shares are ours."""

UPTAKE_HOURS = 14.0
"""Time constant with which water uptake saturates; ours. That uptake rises from onset on is the
finding of Minnerup 2016 (Ann Neurol)."""


@dataclass(frozen=True)
class Population:
    """Factors of many patients, one array entry each, before any sampling by outcome.

    Parameters
    ----------
    age, nihss, glucose, systolic : ndarray
        Years, points, mmol/L, mmHg.
    male, atrial_fibrillation, leukoaraiosis : ndarray of bool
        Yes or no; leukoaraiosis means moderate or severe.
    treatment : ndarray of int
        Index into `TREATMENTS`.
    volume_ml : ndarray
        Infarct volume, mL.
    uptake_max : ndarray
        Net water uptake the infarct tends to.
    hours : ndarray
        Hours from onset to the first scan.
    """

    age: Floats
    male: NDArray[np.bool_]
    nihss: Floats
    glucose: Floats
    systolic: Floats
    atrial_fibrillation: NDArray[np.bool_]
    leukoaraiosis: NDArray[np.bool_]
    treatment: NDArray[np.intp]
    volume_ml: Floats
    uptake_max: Floats
    hours: Floats

    @property
    def uptake(self) -> Floats:
        """Net water uptake at the first scan."""
        return water_uptake(self.uptake_max, self.hours)

    @property
    def size(self) -> int:
        """Number of patients."""
        return len(self.age)


def water_uptake(uptake_max: Floats, hours: Floats) -> Floats:
    """Return the net water uptake `hours` after onset, 0 to 1."""
    uptake: Floats = np.asarray(uptake_max) * -np.expm1(-np.asarray(hours) / UPTAKE_HOURS)
    return uptake


def _volumes(config: SimulateConfig, rng: Generator, n: int) -> Floats:
    """Draw volumes, log-normal, redrawn (by inverse cumulation) within the limits."""
    from scipy.stats import norm

    if config.volume_sigma == 0:
        return np.full(n, config.volume_median_ml)
    ends = np.log(np.array([config.volume_min_ml, config.volume_max_ml]) / config.volume_median_ml)
    low, high = norm.cdf(ends / config.volume_sigma)
    normal = norm.ppf(low + (high - low) * rng.random(n))
    volumes: Floats = config.volume_median_ml * np.exp(config.volume_sigma * normal)
    return volumes


def leukoaraiosis_chance(age: Floats) -> Floats:
    """Return the chance of moderate or severe leukoaraiosis at an age; ours, rising with age."""
    chance: Floats = expit((np.asarray(age) - 76) / 7)
    return chance


def draw_population(config: SimulateConfig, rng: Generator, n: int) -> Population:
    """Draw the factors of `n` patients.

    Age 62.5 +- 11.9 years and 74 % men as in the paper; NIHSS follows the volume (about 2 points a
    doubling, spread 4); the remaining distributions are ours.

    Parameters
    ----------
    config : SimulateConfig
        Volumes are taken from it.
    rng : Generator
        Source of randomness.
    n : int
        Patients wanted.
    """
    age = np.clip(rng.normal(62.5, 11.9, n), 25, 95)
    volume = _volumes(config, rng, n)
    return Population(
        age=age,
        male=rng.random(n) < 0.74,
        nihss=np.clip(np.rint(1.0 + 2.0 * np.log2(volume + 1) + rng.normal(0, 4, n)), 0, 42),
        glucose=5.0 + rng.gamma(1.8, 1.3, n),
        systolic=np.clip(rng.normal(152, 22, n), 90, 230),
        atrial_fibrillation=rng.random(n) < expit((age - 78) / 10),
        leukoaraiosis=rng.random(n) < leukoaraiosis_chance(age),
        treatment=rng.choice(len(TREATMENTS), n, p=TREATMENT_SHARES),
        volume_ml=volume,
        uptake_max=np.clip(0.24 * np.exp(rng.normal(0, 0.35, n)), 0.08, 0.5),
        hours=np.clip(12 * np.exp(rng.normal(0, 0.7, n)), 1.5, 72),
    )


def image_log_odds(config: SimulateConfig, people: Population) -> Floats:
    """Return the part of the log odds that the first scan shows."""
    total: Floats = config.image_strength * (
        LOG_ODDS["volume"] * np.log(people.volume_ml / 25)
        + LOG_ODDS["uptake"] * np.log(people.uptake / 0.14)
        + LOG_ODDS["leukoaraiosis"] * people.leukoaraiosis
    )
    return total


def clinical_log_odds(config: SimulateConfig, people: Population) -> Floats:
    """Return the part of the log odds that only the patient's record shows."""
    thrombolysis = people.treatment == TREATMENTS.index("thrombolysis")
    anticoagulation = people.treatment == TREATMENTS.index("anticoagulation")
    total: Floats = config.clinical_strength * (
        LOG_ODDS["age"] * (people.age - 62.5)
        + LOG_ODDS["nihss"] * (people.nihss - 10)
        + LOG_ODDS["atrial_fibrillation"] * people.atrial_fibrillation
        + LOG_ODDS["glucose"] * (people.glucose - 7)
        + LOG_ODDS["systolic"] * (people.systolic - 152)
        + LOG_ODDS["thrombolysis"] * thrombolysis
        + LOG_ODDS["anticoagulation"] * anticoagulation
    )
    return total


def intercept(config: SimulateConfig) -> float:
    """Return the intercept that gives the configured prevalence, from a fixed large population."""
    people = draw_population(config, np.random.default_rng(8_191), 40_000)
    rest = image_log_odds(config, people) + clinical_log_odds(config, people)
    return float(brentq(lambda b: expit(b + rest).mean() - config.prevalence, -40, 40))


def risks(config: SimulateConfig, people: Population) -> Floats:
    """Return every patient's risk of HT in the population, before sampling by outcome."""
    risk: Floats = expit(
        intercept(config) + image_log_odds(config, people) + clinical_log_odds(config, people)
    )
    return risk


def image_risks(config: SimulateConfig, people: Population) -> Floats:
    """Return the expected risk given volume, water uptake and leukoaraiosis alone.

    The record's factors are integrated out over their distribution given those three: NIHSS depends
    on the volume, leukoaraiosis on age, nothing else is shared. This is the ceiling of a model that
    reads these three off the first scan without error; age, which atrophy also betrays, is not
    used.
    """
    draws = draw_population(config, np.random.default_rng(131_071), 4_000)
    residual = np.random.default_rng(524_287).normal(0, 4, draws.size)
    start = intercept(config)
    visible = image_log_odds(config, people)
    clinical = (
        clinical_log_odds(config, draws)
        - config.clinical_strength * LOG_ODDS["nihss"] * draws.nihss
    )
    chance = leukoaraiosis_chance(draws.age)
    out = np.empty(people.size)
    for i in range(people.size):
        nihss = np.clip(np.rint(1.0 + 2.0 * np.log2(people.volume_ml[i] + 1) + residual), 0, 42)
        record = clinical + config.clinical_strength * LOG_ODDS["nihss"] * nihss
        weight = chance if people.leukoaraiosis[i] else 1 - chance
        out[i] = np.average(expit(start + visible[i] + record), weights=weight)
    return out


def in_cohort(risk: Floats, config: SimulateConfig) -> Floats:
    """Return risks after sampling by outcome: the odds times one constant."""
    share = config.n_ht / (config.n_ht + config.n_non)
    return np.asarray(expit(logit(risk) + logit(share) - logit(config.prevalence)))

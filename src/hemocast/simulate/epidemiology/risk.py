"""The one model from which outcomes are drawn: log odds of HT from the image and the patient.

===========================  ===========  =========================================================
factor                       odds ratio   source
===========================  ===========  =========================================================
*image*
infarct volume               1.60 a       ours. HeRS (Marsh 2013, 10.1097/MD.0000000000002430)
                             doubling     found 1.10 per 10 mL; a logarithm keeps 300 mL within
                                          reason
net water uptake             1.80 a       ours; degree of hypodensity is in HAT (Lou 2008,
                             doubling     10.1212/01.wnl.0000330297.58334.dd) without an odds ratio
ASPECTS                      1.61 a       HTI (Kalinin 2017, 10.1186/s12883-017-0958-3): 6-5 one
                             point of     point, 4-3 two, 2-0 three. Half of HTI's step, for volume
                             HTI          stands beside it
hyperdense artery            1.61         HTI, one point; half of its step, likewise
van Swieten 1-2              1.65         Kongbunkiat 2017 (relative risk of any bleed, used as OR)
van Swieten 3-4              2.40         Kongbunkiat 2017, likewise
*clinical*
age                          1.50 per     HeRS
                             10 years
NIHSS                        1.13 a       TURN (Asuzu 2015, Neurocrit Care 23:166)
                             point
atrial fibrillation          2.50         IST-1's rates, .60 against .24 % (Sandercock 2011,
                                          10.1186/1745-6215-12-101); HTI's point is 2.6
glucose                      1.08 per     ours; a risk factor in HAT, SEDAN, GRASPS
                             mmol/L
systolic pressure            1.07 per     ours; a risk factor in SITS-SICH and GRASPS
                             10 mmHg
thrombolysis                 1.50         ours
the same, 180 min or more    1.56 more    SITS-SICH (Mazya 2012, 10.1161/STROKEAHA.111.644815): one
after onset                               point, which is (logit .143 - logit .002) / 10
anticoagulation              1.30         ours
thrombectomy                 1.50         ours
===========================  ===========  =========================================================

HTI's step is the mean difference of its logits from 0 to 5 points (.027, .070, .169, .346, .571,
.768): 0.956. Odds ratios from different studies, outcomes and adjustments are put side by side: the
model is a simulator's, not a clinical score. The intercept gives the configured prevalence;
sampling by outcome then changes only the intercept (Prentice and Pyke 1979,
10.1093/biomet/66.3.403).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from hemocast.config import SimulateConfig
from hemocast.simulate.epidemiology.population import (
    TREATMENTS,
    Bools,
    Floats,
    Lesions,
    Population,
    draw_population,
)

HTI_STEP = float((logit(0.768) - logit(0.027)) / 5)
"""Log odds of one point of HTI (Kalinin 2017)."""

HTI_SHARE = 0.5
"""Part of HTI's step that is left to its signs, for volume stands beside them; ours."""

LATE_HOURS = 3.0
"""Onset to thrombolysis from which it counts as late (SITS-SICH)."""

VOLUME_ML, UPTAKE = 25.0, 0.14
"""Where volume and water uptake add nothing."""

LOG_ODDS = {
    "volume": np.log(1.60) / np.log(2),
    "uptake": np.log(1.80) / np.log(2),
    "aspects": HTI_SHARE * HTI_STEP,
    "hyperdense": HTI_SHARE * HTI_STEP,
    "age": np.log(1.50) / 10,
    "nihss": np.log(1.13),
    "atrial_fibrillation": np.log(2.5),
    "glucose": np.log(1.08),
    "systolic": np.log(1.07) / 10,
    "thrombolytic": np.log(1.5),
    "late": float(logit(0.143) - logit(0.002)) / 10,
    "anticoagulant": np.log(1.3),
    "thrombectomy": np.log(1.5),
}

LEUKOARAIOSIS = np.log(np.array([1.0, 1.65, 1.65, 2.4, 2.4]))
"""Log odds by van Swieten grade."""

HTI_POINTS = np.array([3, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0])
"""HTI's points by ASPECTS."""


def lesion_log_odds(people: Lesions) -> Floats:
    """Return the log odds of volume, ASPECTS and hyperdense artery, at strength 1."""
    return np.asarray(
        LOG_ODDS["volume"] * np.log(people.volume_ml / VOLUME_ML)
        + LOG_ODDS["aspects"] * HTI_POINTS[people.aspects]
        + LOG_ODDS["hyperdense"] * people.hyperdense
    )


def uptake_log_odds(uptake: Floats) -> Floats:
    """Return the log odds of net water uptake, at strength 1."""
    return np.asarray(LOG_ODDS["uptake"] * np.log(uptake / UPTAKE))


def image_log_odds(config: SimulateConfig, people: Population) -> Floats:
    """Return the part of the log odds that the first scan shows."""
    total: Floats = config.image_strength * (
        lesion_log_odds(people) + uptake_log_odds(people.uptake) + LEUKOARAIOSIS[people.van_swieten]
    )
    return total


def age_log_odds(age: Floats, atrial_fibrillation: Bools) -> Floats:
    """Return the log odds of age and atrial fibrillation, at strength 1."""
    return np.asarray(
        LOG_ODDS["age"] * (age - 62.5) + LOG_ODDS["atrial_fibrillation"] * atrial_fibrillation
    )


def blood_log_odds(glucose: Floats, systolic: Floats) -> Floats:
    """Return the log odds of glucose and pressure, at strength 1."""
    return np.asarray(LOG_ODDS["glucose"] * (glucose - 7) + LOG_ODDS["systolic"] * (systolic - 152))


def treatment_log_odds(people: Population) -> Floats:
    """Return the log odds of what was done, and when, at strength 1."""
    return np.asarray(
        LOG_ODDS["thrombolytic"] * (people.treatment == TREATMENTS.index("thrombolytic"))
        + LOG_ODDS["late"] * (people.needle_hours >= LATE_HOURS)
        + LOG_ODDS["anticoagulant"] * (people.treatment == TREATMENTS.index("anticoagulant"))
        + LOG_ODDS["thrombectomy"] * people.thrombectomy
    )


def nihss_log_odds(nihss: Floats) -> Floats:
    """Return the log odds of the NIHSS, at strength 1."""
    return np.asarray(LOG_ODDS["nihss"] * (np.asarray(nihss) - 10))


def clinical_log_odds(config: SimulateConfig, people: Population) -> Floats:
    """Return the part of the log odds that only the patient's record shows."""
    total: Floats = config.clinical_strength * (
        age_log_odds(people.age, people.atrial_fibrillation)
        + nihss_log_odds(people.nihss)
        + blood_log_odds(people.glucose, people.systolic)
        + treatment_log_odds(people)
    )
    return total


@lru_cache(maxsize=8)
def intercept(config: SimulateConfig) -> float:
    """Return the intercept that gives the configured prevalence, from a fixed large population."""
    people = draw_population(config, np.random.default_rng(8_191), 60_000)
    rest = image_log_odds(config, people) + clinical_log_odds(config, people)
    return float(brentq(lambda b: expit(b + rest).mean() - config.prevalence, -60, 60, xtol=1e-12))


def risks(config: SimulateConfig, people: Population) -> Floats:
    """Return every patient's risk of HT in the population, before sampling by outcome."""
    risk: Floats = expit(
        intercept(config) + image_log_odds(config, people) + clinical_log_odds(config, people)
    )
    return risk


def in_cohort(risk: Floats, config: SimulateConfig) -> Floats:
    """Return risks after sampling by outcome: the odds times one constant."""
    share = config.n_ht / (config.n_ht + config.n_non)
    return np.asarray(expit(logit(risk) + logit(share) - logit(config.prevalence)))

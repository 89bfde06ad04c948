"""What the best possible reader of the image alone, or of the record alone, could know.

Both risks are expectations of the true risk over what is not seen, given what is. The links
between factors (`hemocast.simulate.epidemiology.population`) leave sums of few independent parts,
so that the expectation is taken part by part: the logistic function is averaged over one part after
the other, tabulated over the log odds, and each patient looks the result up. No sampling is
involved but in the table of what lesions go with an NIHSS.

The AUC of a calibrated risk follows from its distribution alone: a pair of patients counts as one
with and one without HT with probability r_i (1 - r_j).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, gammaincinv, ndtri

from hemocast.config import SimulateConfig
from hemocast.simulate.epidemiology import population
from hemocast.simulate.epidemiology import risk as odds
from hemocast.simulate.epidemiology.population import Floats, Population

RENDERED_UPTAKE = 0.6
"""Most water uptake that is rendered: beyond it infarcts look alike."""

GRID = np.linspace(-45, 45, 1801)
"""Log odds at which averaged logistic functions are tabulated."""

NIHSS = np.arange(43.0)

_POPULATION = 10_000
_LESIONS = 60_000


@dataclass(frozen=True)
class Ceilings:
    """The best AUC there can be, for who knows everything, the image alone, the record alone.

    Parameters
    ----------
    true, image, clinical : float
        Expected AUC over patients drawn without end.
    """

    true: float
    image: float
    clinical: float


def _middles(n: int) -> Floats:
    return (np.arange(n) + 0.5) / n


def _compress(values: Floats, weights: Floats, n: int) -> tuple[Floats, Floats]:
    """Put weighted values into `n` bins of equal width; return the bins' means and weights."""
    low, high = values.min(), values.max()
    at = np.minimum(((values - low) * (n / max(high - low, 1e-12))).astype(np.intp), n - 1)
    weight = np.bincount(at, weights, n)
    mean = np.bincount(at, weights * values, n)[weight > 0] / weight[weight > 0]
    return mean, weight[weight > 0] / weight.sum()


def _look_up(table: Floats, log_odds: Floats) -> Floats:
    """Interpolate a function tabulated on `GRID`."""
    return np.asarray(np.interp(log_odds, GRID, table))


def _averaged(table: Floats, values: Floats, weights: Floats) -> Floats:
    """Average a tabulated function over shifts of its argument: weights (k,) or (k, columns)."""
    return _look_up(table, GRID[:, None] + values) @ weights


def _blood(config: SimulateConfig) -> Floats:
    """Tabulate the logistic function averaged over glucose and pressure."""
    glucose = 5.0 + 1.3 * gammaincinv(1.8, _middles(100))
    systolic = np.clip(152 + 22 * ndtri(_middles(100)), 90, 230)
    both = odds.blood_log_odds(glucose[:, None], systolic).ravel()
    values, weights = _compress(config.clinical_strength * both, np.ones(both.size), 150)
    return np.asarray(expit(GRID[:, None] + values) @ weights)


def _by_grade(config: SimulateConfig, age_shift: float, blood: Floats) -> Floats:
    """Average further over age and atrial fibrillation given each van Swieten grade: (5, grid)."""
    age = np.clip(config.age_mean + config.age_sd * ndtri(_middles(400)) + age_shift, 25, 95)
    weights = population.van_swieten_chances(age)
    weights /= weights.sum(axis=0)
    has = population.fibrillation_chance(age)[:, None]
    with_, without = (
        _averaged(
            blood, config.clinical_strength * odds.age_log_odds(age, np.array(af)), weights * part
        )
        for af, part in ((True, has), (False, 1 - has))
    )
    return np.asarray((with_ + without).T)


@dataclass(frozen=True)
class _Treatments:
    """What was done, and how likely each is at every net water uptake.

    Parameters
    ----------
    log_odds : ndarray, shape (k,)
        Of every combination of treatments, at strength 1.
    log_uptake : ndarray, shape (u,)
        Even steps.
    density : ndarray, shape (u, k)
        Of uptake (its logarithm) and treatment together.
    """

    log_odds: Floats
    log_uptake: Floats
    density: Floats

    def chances(self, uptake: Floats) -> Floats:
        """Return the chance of every combination at each uptake: shape (n, k)."""
        at = np.log(uptake)
        found = np.stack([np.interp(at, self.log_uptake, d) for d in self.density.T], axis=1)
        return np.asarray(found / found.sum(axis=1, keepdims=True))


def _treatments(config: SimulateConfig) -> _Treatments:
    """Tabulate how treatment and uptake hang together, by the hours to the first scan."""
    share = population.treatment_shares(config)
    quantile = _middles(1000)
    first, last = population.THROMBOLYSIS_HOURS
    quick, later = first + (last - first) * quantile, population.other_hours(quantile)
    low, high = population.DOOR_TO_NEEDLE_HOURS
    late = np.clip((quick + high - odds.LATE_HOURS) / (high - low), 0, 1)
    anticoagulant = share[population.TREATMENTS.index("anticoagulant")]
    groups = (
        (odds.LOG_ODDS["thrombolytic"], quick, share[0] * (1 - late)),
        (odds.LOG_ODDS["thrombolytic"] + odds.LOG_ODDS["late"], quick, share[0] * late),
        (odds.LOG_ODDS["anticoagulant"], later, np.full(1000, anticoagulant)),
        (0.0, later, np.full(1000, 1 - share[0] - anticoagulant)),
    )
    limits = np.log(population.UPTAKE_LIMITS)
    ends = limits + np.log(population.saturation(np.array([first, 72.0])))
    log_uptake = np.linspace(ends[0], ends[1], 800)
    log_odds, density = [], []
    for lean, hours, weight in groups:
        final = log_uptake[:, None] - np.log(population.saturation(hours))
        likely = np.exp(
            -0.5 * ((final - np.log(population.UPTAKE_MEDIAN)) / population.UPTAKE_SIGMA) ** 2
        )
        likely[(final < limits[0]) | (final > limits[1])] = 0.0
        in_time = config.thrombectomy_share * (hours <= population.THROMBECTOMY_HOURS)
        for more, part in ((0.0, 1 - in_time), (odds.LOG_ODDS["thrombectomy"], in_time)):
            log_odds.append(lean + more)
            density.append(likely @ (weight * part))
    floor = 1e-300  # where rounding leaves an uptake outside the table's ends
    return _Treatments(np.array(log_odds), log_uptake, np.stack(density, axis=1) + floor)


def _unseen_lesion(config: SimulateConfig, people: Population) -> Floats:
    """Return the mean risk of who looks alike when the lesion's tissue is not rendered."""
    many = population.draw_population(config, np.random.default_rng(131_071), 200_000)
    risk = odds.risks(config, many)

    def kind(group: Population) -> np.ndarray:
        return (group.site * 5 + group.van_swieten) * 2 + group.hyperdense

    n = 10 * len(population.sites_of(config))
    total, count = np.bincount(kind(many), risk, n), np.bincount(kind(many), minlength=n)
    return np.asarray((total / np.maximum(count, 1))[kind(people)])


def image_risks(config: SimulateConfig, people: Population) -> Floats:
    """Return the expected risk given what the first scan shows, read without error.

    Shown are the site (its scanner), van Swieten grade, hyperdense artery, volume, ASPECTS and
    water uptake, the last as far as it is rendered: beyond `RENDERED_UPTAKE` it is integrated over,
    and with `SimulateConfig.visibility` 0 so are all three that lie in the lesion. The record's
    factors are integrated out given those: NIHSS by the volume, age and fibrillation by the grade,
    treatment by the uptake. Age, which atrophy betrays roughly, counts as not seen, and later scans
    as not read.

    Returns
    -------
    ndarray, shape (n,)
        In the population, before sampling by outcome.
    """
    if config.visibility == 0:
        return _unseen_lesion(config, people)
    clinical, image = config.clinical_strength, config.image_strength
    blood, treatments = _blood(config), _treatments(config)
    tables = np.stack([_by_grade(config, s.age_shift, blood) for s in population.sites_of(config)])
    capped = config.visibility * people.uptake >= RENDERED_UPTAKE
    base = odds.intercept(config) + odds.image_log_odds(config, people)
    base[capped] -= image * odds.uptake_log_odds(people.uptake[capped])
    known = clinical * treatments.log_odds, treatments.chances(people.uptake)
    beyond = _beyond(config, treatments)
    out = np.empty(people.size)
    for site, grade, hidden in {*zip(people.site, people.van_swieten, capped, strict=True)}:
        rows = np.flatnonzero(
            (people.site == site) & (people.van_swieten == grade) & (capped == hidden)
        )
        for part in np.array_split(rows, len(rows) // 500 + 1):
            values, weights = beyond if hidden else (known[0], known[1][part])
            points = clinical * odds.nihss_log_odds(NIHSS)
            at = base[part, None, None] + points[:, None] + values
            seen = _look_up(tables[site, grade], at)
            chances = population.nihss_chances(people.volume_ml[part])
            weights = np.broadcast_to(weights, (len(part), len(values)))
            out[part] = np.einsum("pnk,pn,pk->p", seen, chances, weights)
    return out


def _beyond(config: SimulateConfig, treatments: _Treatments) -> tuple[Floats, Floats]:
    """Return log odds of uptake and treatment together, and their weights, beyond the cap."""
    uptake = np.exp(treatments.log_uptake)
    rows = config.visibility * uptake >= RENDERED_UPTAKE
    if not rows.any():
        return np.zeros(1), np.ones(1)
    both = (
        config.image_strength * odds.uptake_log_odds(uptake[rows])[:, None]
        + config.clinical_strength * treatments.log_odds
    )
    return _compress(both.ravel(), treatments.density[rows].ravel(), 60)


def _by_nihss(config: SimulateConfig, site: int, uptake: Floats) -> Floats:
    """Average a table further over the lesions that go with each NIHSS at a site: (43, grid)."""
    volume = population.volumes(config, np.full(_LESIONS, site), _middles(_LESIONS))
    lesions = population.draw_lesions(volume, np.random.default_rng(262_143))
    bins = np.floor(odds.lesion_log_odds(lesions) / 0.02).astype(np.intp)
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=bins.min() - 1))
    weights: Floats = np.add.reduceat(population.nihss_chances(volume)[order], starts, axis=0)
    weights /= weights.sum(axis=0)
    values = config.image_strength * 0.02 * (bins[order][starts].astype(np.float64) + 0.5)
    return np.asarray(_averaged(uptake, values, weights).T)


def clinical_risks(config: SimulateConfig, people: Population) -> Floats:
    """Return the expected risk given what the record holds, the image's factors integrated out.

    Known are the site, age, NIHSS, atrial fibrillation, glucose, pressure, treatment and its time,
    and the time of the first scan. Integrated out are the lesion (given NIHSS and site), water
    uptake (given the time) and van Swieten grade (given age).

    Returns
    -------
    ndarray, shape (n,)
        In the population, before sampling by outcome.
    """
    image = config.image_strength
    final = population.log_normal(
        _middles(200), population.UPTAKE_MEDIAN, population.UPTAKE_SIGMA, population.UPTAKE_LIMITS
    )
    uptake = np.asarray(expit(GRID[:, None] + image * odds.uptake_log_odds(final)).mean(axis=1))
    base = odds.intercept(config) + odds.clinical_log_odds(config, people)
    base += image * odds.LOG_ODDS["uptake"] * np.log(population.saturation(people.hours))
    at = base[:, None] + image * odds.LEUKOARAIOSIS
    chances = population.van_swieten_chances(people.age)
    out = np.empty(people.size)
    for site in np.unique(people.site):
        tables = _by_nihss(config, int(site), uptake)
        for points in np.unique(people.nihss[people.site == site]).astype(int):
            rows = (people.site == site) & (people.nihss == points)
            out[rows] = (_look_up(tables[points], at[rows]) * chances[rows]).sum(axis=1)
    return out


def expected_auc(risk: Floats) -> float:
    """Return the AUC that a calibrated risk has on outcomes drawn from it, on average.

    Sum of r_i (1 - r_j) over the pairs with r_i > r_j, and half of it over ties, by its sum over
    all pairs of different patients.
    """
    values, at, count = np.unique(risk, return_inverse=True, return_counts=True)
    without = count * (1 - values)
    below = np.cumsum(without) - without
    own = risk * (1 - risk)
    won = float((risk * (below + 0.5 * without)[at] - 0.5 * own).sum())
    return won / float(risk.sum() * (1 - risk).sum() - own.sum())


@lru_cache(maxsize=8)
def ceilings(config: SimulateConfig) -> Ceilings:
    """Return the three best AUCs that a cohort's settings allow, whatever its seed and size."""
    people = population.draw_population(config, np.random.default_rng(524_287), _POPULATION)
    return Ceilings(
        expected_auc(odds.risks(config, people)),
        expected_auc(image_risks(config, people)),
        expected_auc(clinical_risks(config, people)),
    )

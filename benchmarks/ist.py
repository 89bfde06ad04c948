"""Risk of bleeding in countries never seen: the International Stroke Trial, country by country.

    python benchmarks/ist.py FILE [--developed-on OTHER | --learn-in COUNTRY ...] [--out PAGE.md]

Every country of FILE is predicted by models that learned from all others: for any cerebral bleed
(H14) and for hemorrhagic transformation (HTI14) within 14 days of ischemic stroke. With a second
table, whose countries FILE does not have, its models are tried on FILE as a whole; the development
part of the trial is taken for it where it is at hand (HEMOCAST_TEST_DATA) and shares no country.
``--learn-in`` takes some countries of FILE for it instead, and tries on the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ist_scores import score_rows
from ist_table import OUTCOMES, Trial, read_trial

from hemocast.classical.boosting import learn_boosting
from hemocast.classical.elsewhere import Places, multiply_odds
from hemocast.classical.learning import Cohort, Fit, Fitted, leave_groups_out
from hemocast.classical.logistic import FittedLogistic, learn_firth, learn_ridge
from hemocast.classical.measurements import Float64Array
from hemocast.classical.pooled import Pooled, few_groups, pool
from hemocast.errors import HemocastError, StatisticsError, TooFewPatients, UsageError
from hemocast.stats import Estimate, Resampling
from hemocast.stats.resampling.limits import percentile_limits

RIDGE = "ridge, penalty by nested cross-validation"
MODELS: dict[str, Fit] = {RIDGE: learn_ridge, "Firth": learn_firth, "boosting": learn_boosting}
SPLITS = 20
FIRST = (50, 100, 200, 400)
"""Patients of a new country of whom the outcome is awaited before the rest is predicted."""
TOGETHER = 600
"""Countries are left out several at once up to so many patients: the smallest ones."""
DEVELOPMENT = "ist1_development.csv.gz"


@dataclass(frozen=True, eq=False)
class Predicted:
    """Patients with risks from models that never saw their country.

    Parameters
    ----------
    cohort, names
        The patients, and what their groups are called.
    risks : dict
        Model -> risk of every patient.
    places : dict
        Group -> what the ridge's training countries say of a new one.
    """

    cohort: Cohort
    names: list[str]
    risks: dict[str, Float64Array]
    places: dict[int, Places]


def left_out(trial: Trial, outcome: str) -> Predicted:
    """Leave each country out in turn."""
    cohort, names = trial.cohort(outcome)
    result = leave_groups_out(MODELS, cohort, TOGETHER)
    places = {group: places_of(model) for group, model in result[RIDGE][1].items()}
    return Predicted(cohort, names, {name: risk for name, (risk, _) in result.items()}, places)


def carried_over(development: Trial, trial: Trial, outcome: str) -> Predicted:
    """Learn from one table and predict another."""
    learned, (cohort, names) = development.cohort(outcome)[0], trial.cohort(outcome)
    models = {name: fit(learned) for name, fit in MODELS.items()}
    places = places_of(models[RIDGE])
    risks = {name: model.risk(cohort.patients) for name, model in models.items()}
    return Predicted(cohort, names, risks, dict.fromkeys(range(len(names)), places))


def places_of(model: Fitted) -> Places:
    """Say what the ridge's training countries tell of a new one."""
    if not isinstance(model, FittedLogistic):
        raise TypeError("only a ridge keeps the risks of its folds")
    return model.places


def mended(predicted: Predicted, seed: int = 0) -> dict[str, Float64Array]:
    """Correct the ridge's risks in new countries: by no event of theirs, and by half of them.

    Country by country; and, where one model predicts them all, by one factor for all of them.
    """
    cohort, risk = predicted.cohort, predicted.risks[RIDGE]
    rng = np.random.default_rng(seed)
    average, updated = np.empty_like(risk), np.empty_like(risk)
    for group, places in predicted.places.items():
        rows = np.flatnonzero(cohort.group == group)
        average[rows] = multiply_odds(risk[rows], places.mean())
        factors = factors_from_half(places, cohort.outcome[rows], risk[rows], rng)
        updated[rows] = multiply_odds(risk[rows], factors)
    variants = {
        "as fitted": risk,
        "set to the average country, no event of its own": average,
        "updated with half of its patients": updated,
    }
    kinds = {id(places): places for places in predicted.places.values()}
    if len(kinds) == 1 and len(predicted.places) > 1:
        (places,) = kinds.values()
        factors = factors_from_half(places, cohort.outcome, risk, rng)
        variants["one factor for all new countries, from half"] = multiply_odds(risk, factors)
    return variants


def factors_from_half(
    places: Places, outcome: Float64Array, risk: Float64Array, rng: np.random.Generator
) -> Float64Array:
    """Give every patient of a place its factor, learned from others of the place.

    From half of them, drawn at random; a patient's is the geometric mean over `SPLITS` draws, none
    of which held that patient.
    """
    logs, times = np.zeros(risk.size), np.zeros(risk.size)
    for _ in range(SPLITS):
        half = rng.permutation(risk.size) < risk.size // 2
        for seen in (half, ~half):
            logs[~seen] += np.log(places.mean(outcome[seen].sum(), risk[seen].sum()))
            times[~seen] += 1
    return np.asarray(np.exp(logs / times))


def misfit(cohort: Cohort, risk: Float64Array, resampling: Resampling) -> Estimate:
    """Mean Poisson deviance of the countries' events, countries resampled."""
    observed, expected = cohort.by_group(risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.where(observed > 0, observed * np.log(observed / expected), 0)
    each = 2 * (log - observed + expected)
    warning = few_groups(each.size)
    if warning:
        return Estimate.bare(float(each.mean()), each.size, warning)
    rng = np.random.default_rng(resampling.seed)
    drawn = each[rng.integers(0, each.size, (resampling.n, each.size))].mean(axis=1)
    return Estimate(float(each.mean()), *percentile_limits(drawn), "bootstrap", each.size)


def shown(one: Estimate, digits: int = 2) -> str:
    """Write an estimate with its interval."""
    if not np.isfinite(one.ci_low):
        return f"{one.value:.{digits}f} (no interval)"
    return f"{one.value:.{digits}f} ({one.ci_low:.{digits}f} to {one.ci_high:.{digits}f})"


def report(predicted: Predicted, outcome: str, resampling: Resampling) -> Iterator[str]:
    """Write the tables of one outcome, in Markdown."""
    cohort = predicted.cohort
    silent = [
        name for name, n in zip(predicted.names, cohort.by_group(cohort.outcome)[0], strict=True)
        if n == 0
    ]  # fmt: skip
    yield (
        f"\n{len(cohort.outcome):,} patients of {len(predicted.names)} countries, "
        f"{cohort.events} events ({100 * cohort.outcome.mean():.2f} %)."
    )
    if silent:
        yield f"No event in {len(silent)} countries: {', '.join(silent)}."
    for warning in {few_groups(len(predicted.names))} - {None}:
        yield f"Every interval below {warning}."
    risks = mended(predicted)
    if not cohort.events:
        yield "Nothing but O/E = 0 can be said of them."
    else:
        pools = {name: pool(cohort, risk, resampling) for name, risk in predicted.risks.items()}
        yield from models_table(pools)
        yield from decision_table(pools)
        yield from mending_table(cohort, risks, resampling)
        yield from first_patients_table(predicted, resampling)
        yield from scores_table(cohort, resampling)
    yield from countries_table(predicted, risks)


def models_table(pools: dict[str, Pooled]) -> Iterator[str]:
    """Discrimination and calibration of every model."""
    yield "\n| model | AUC | O/E | calibration intercept | calibration slope |"
    yield "|---|---|---|---|---|"
    for name, one in pools.items():
        numbers = (one.auc, one.ratio, one.in_the_large, one.slope)
        yield f"| {name} | {' | '.join(shown(x) for x in numbers)} |"


def decision_table(pools: dict[str, Pooled]) -> Iterator[str]:
    """Net benefit, in patients of 10,000."""
    first = next(iter(pools.values())).decision
    yield "\nNet benefit in true positives per 10,000 patients, over treating none as at risk:\n"
    yield "| act at a risk of | all | " + " | ".join(pools) + " |"
    yield "|---|---|" + "---|" * len(pools)
    for at, threshold in enumerate(first.threshold):
        cells = [
            f"{1e4 * d.model[at]:.1f} ({1e4 * d.model_low[at]:.1f} to {1e4 * d.model_high[at]:.1f})"
            for d in (one.decision for one in pools.values())
        ]
        everybody = f"{1e4 * first.treat_all[at]:.1f}"
        yield f"| {100 * threshold:.1f} % | {everybody} | {' | '.join(cells)} |"


def mending_table(
    cohort: Cohort, risks: dict[str, Float64Array], resampling: Resampling
) -> Iterator[str]:
    """What recalibration in the new country changes."""
    yield "\nThe ridge in a new country, before and after correction:\n"
    yield "| risks | AUC | O/E | calibration intercept | slope | misfit by country |"
    yield "|---|---|---|---|---|---|"
    for name, risk in risks.items():
        one = pool(cohort, risk, resampling)
        numbers = [shown(x) for x in (one.auc, one.ratio, one.in_the_large, one.slope)]
        numbers.append(shown(misfit(cohort, risk, resampling)))
        yield f"| {name} | {' | '.join(numbers)} |"


def first_patients_table(predicted: Predicted, resampling: Resampling) -> Iterator[str]:
    """How many patients of a new country it takes to correct the risks of those who follow."""
    yield "\nThe ridge's O/E in the patients who follow the first ones of their country:\n"
    yield "| first | countries | events in the first | as fitted | average country | updated |"
    yield "|---|---|---|---|---|---|"
    for first in FIRST:
        sums = following(predicted, first)
        if len(sums) < 2:
            continue
        rng = np.random.default_rng(resampling.seed)
        drawn = sums[rng.integers(0, len(sums), (resampling.n, len(sums)))].sum(axis=1)
        whole = sums.sum(axis=0)
        cells = [
            f"{whole[1] / whole[at]:.2f} ({low:.2f} to {high:.2f})"
            for at in (2, 3, 4)
            for low, high in [np.quantile(drawn[:, 1] / drawn[:, at], [0.025, 0.975])]
        ]
        yield f"| {first} | {len(sums)} | {whole[0]:.1f} | {' | '.join(cells)} |"


def following(predicted: Predicted, first: int, seed: int = 0) -> Float64Array:
    """Give sums of every country with twice as many patients, shape (countries, 5).

    Mean over `SPLITS` orders of its patients: events in the first, events in those who follow, and
    those expected there as fitted, at the average country, and updated by the first.
    """
    cohort, risk = predicted.cohort, predicted.risks[RIDGE]
    rng = np.random.default_rng(seed)
    found = []
    for group, places in predicted.places.items():
        rows = np.flatnonzero(cohort.group == group)
        if rows.size < 2 * first:
            continue
        each = np.zeros(5)
        for _ in range(SPLITS):
            order = rng.permutation(rows)
            seen, rest = order[:first], order[first:]
            events = cohort.outcome[seen].sum()
            factors = (1.0, places.mean(), places.mean(events, risk[seen].sum()))
            expected = [multiply_odds(risk[rest], factor).sum() for factor in factors]
            each += np.array([events, cohort.outcome[rest].sum(), *expected]) / SPLITS
        found.append(each)
    return np.array(found).reshape(-1, 5)


def scores_table(cohort: Cohort, resampling: Resampling) -> Iterator[str]:
    """What published scores can say."""
    yield "\nPublished scores, of which no one has all items here: ranking by the items at hand\n"
    yield "| score | items at hand | AUC |"
    yield "|---|---|---|"
    for name, known, items, area in score_rows(cohort, resampling):
        yield f"| {name} | {known} of {items} | {area} |"


def countries_table(predicted: Predicted, risks: dict[str, Float64Array]) -> Iterator[str]:
    """Patients, events and O/E of every country, the largest first, and what was to be expected."""
    cohort = predicted.cohort
    n = np.bincount(cohort.group)
    sums = [cohort.by_group(risk) for risk in list(risks.values())[:3]]
    yield "\nO/E of the ridge as fitted, at the average country, and updated with half:\n"
    yield "| country | n | events | expected | O/E | range expected of it | average | updated |"
    yield "|---|---|---|---|---|---|---|---|"
    for group in np.argsort(-n, kind="stable"):
        observed, expected = sums[0][0][group], sums[0][1][group]
        ahead = predicted.places[int(group)].factor()
        ratios = [f"{observed / one[1][group]:.2f}" for one in sums]
        yield (
            f"| {predicted.names[group]} | {n[group]:,} | {observed:.0f} | {expected:.1f} | "
            f"{ratios[0]} | {ahead.low:.2f} to {ahead.high:.2f} | {ratios[1]} | {ratios[2]} |"
        )


def development_of(trial: Trial, given: Path | None) -> Trial | None:
    """Read the table to learn from: the one given, or the trial's own where it shares no country.

    Raises
    ------
    UsageError
        A table was given that shares a country.
    """
    here = Path(os.environ.get("HEMOCAST_TEST_DATA", "../shared/data")) / DEVELOPMENT
    if given is None and not here.is_file():
        return None
    development = read_trial(given or here)
    shared = set(development.country) & set(trial.country)
    if not shared:
        return development
    if given is None:
        return None
    raise UsageError(
        f"Both tables have patients of {len(shared)} countries: {', '.join(sorted(shared))}",
        "countries that the models have not seen",
        "Leave them out of one table",
    )


def tell(args: argparse.Namespace) -> Iterator[str]:
    """Read, predict, and write the page line by line."""
    trial = read_trial(args.file)
    if args.learn_in:
        development, trial = trial.split(args.learn_in)
    else:
        development = development_of(trial, args.developed_on)
    resampling = Resampling(args.resamples)
    yield from (f"- {line}" for line in trial.told)
    done = 0
    for outcome, words in OUTCOMES.items():
        if development is not None:
            yield f"\n## {outcome} ({words}): models of the other table in these countries"
            yield from report(carried_over(development, trial, outcome), outcome, resampling)
            done += 1
        if args.new_only:
            continue
        yield f"\n## {outcome} ({words}): each country left out in turn"
        try:
            predicted = left_out(trial, outcome)
            yield from report(predicted, outcome, resampling)
            done += 1
        except (TooFewPatients, StatisticsError) as refusal:
            yield f"\nNot done: {refusal}"
    if not done:
        raise TooFewPatients(
            "Neither outcome can be learned from this table",
            "countries with bleeds, or a table to learn from",
            "Give --developed-on a table of other countries",
        )


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--developed-on", type=Path)
    parser.add_argument("--learn-in", nargs="+", metavar="COUNTRY")
    parser.add_argument("--new-only", action="store_true", help="leave no country out in turn")
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    lines = []
    try:
        for line in tell(args):
            print(line, flush=True)
            lines.append(line)
    except HemocastError as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_code
    if args.out:
        from hemocast.files import write_text

        write_text(args.out, "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

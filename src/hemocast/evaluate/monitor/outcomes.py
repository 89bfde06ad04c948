"""The model against what became of its patients: over time, by scanner and site, with alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from scipy.special import logit

from hemocast.evaluate.inputs.history import DONE, GROUPS, History, ObjectArray, Outcomes
from hemocast.evaluate.monitor.drift import one_each
from hemocast.evaluate.monitor.result import Chart, Followed, MonitorOptions, Performance
from hemocast.stats import Cases, auc_interval
from hemocast.stats.calibration.measures import observed_expected
from hemocast.stats.cusum import Shift, cusum, cusum_limit
from hemocast.stats.estimate import BoolArray, Float64Array

ODDS = 2.0
"""Factor of the odds that the charts are most sensitive to, as in Steiner 2000."""
SLOPE = 0.5
_EDGE = 1e-6


def follow(
    history: History, outcomes: Outcomes, reference: Float64Array, options: MonitorOptions
) -> Followed | None:
    """Measure calibration and AUC, and chart the outcomes in the order in which they came.

    Of every patient one scan counts, the first with a result and a known outcome.

    Parameters
    ----------
    history : History
        With results.
    outcomes : Outcomes
        Of its scans.
    reference : ndarray of float64, shape (m,)
        Probabilities, for the limits of the charts.
    options : MonitorOptions
        With level, horizon and seed.

    Returns
    -------
    Followed or None
        None where no outcome of a scan with a result is known.
    """
    done = np.flatnonzero(history.status == DONE)
    known = done[~np.isnan(outcomes.label[done])]
    if not known.size:
        return None
    patients = history.scans.patient
    rows = known[one_each(patients[known])]
    rows = rows[np.argsort(outcomes.known_at[rows], kind="stable")]
    truth, risk = outcomes.label[rows] == 1, history.scans.probability[rows]
    times = outcomes.known_at[rows]
    grades = Counter(outcomes.grade[rows][truth & (outcomes.grade[rows] != "")])
    quarter = np.array([_quarter(time) for time in times], dtype=object)
    groups = [
        (name, tuple(_by(np.asarray(feature.values[rows], dtype=object), truth, risk)))
        for name in GROUPS
        if (feature := history.scans.feature(name)) is not None
    ]
    return Followed(
        _performance("all", truth, risk),
        tuple(_by(quarter, truth, risk)),
        tuple(groups),
        tuple(
            Chart(name, shift, cusum(truth, risk, shift, limit), times)
            for name, shift, limit in _limits(reference, options)
        ),
        tuple(sorted(grades.items())),
        len(set(patients[done])) - len(rows),
        outcomes.unmatched,
    )


def _quarter(time: np.datetime64) -> str:
    month = time.astype("datetime64[M]")
    year, within = divmod(int(month.astype(np.int64)), 12)
    return f"{1970 + year} Q{within // 3 + 1}"


def _by(keys: ObjectArray, truth: BoolArray, risk: Float64Array) -> Iterator[Performance]:
    for name in sorted(set(keys)):
        rows = np.flatnonzero(keys == name)
        yield _performance(name or "not known", truth[rows], risk[rows])


def _performance(name: str, truth: BoolArray, risk: Float64Array) -> Performance:
    cases = Cases(truth, risk)
    both = 0 < cases.n_positive < cases.n
    return Performance(
        name,
        cases.n,
        cases.n_positive,
        float(risk.sum()),
        observed_expected(cases),
        auc_interval(cases) if both else None,
    )


def _limits(reference: Float64Array, options: MonitorOptions) -> Iterator[tuple[str, Shift, float]]:
    """Three charts share the chance of a false alarm."""
    centre = float(np.mean(logit(reference.clip(_EDGE, 1 - _EDGE))))
    for name, shift in (
        ("more", Shift(odds=ODDS)),
        ("fewer", Shift(odds=1 / ODDS)),
        ("less told", Shift(slope=SLOPE, centre=centre)),
    ):
        level = options.level / 3
        yield name, shift, cusum_limit(reference, shift, options.horizon, level, seed=options.seed)

"""What published scores can say of the trial's patients: none has all of its items there.

The trial wrote down neither NIHSS nor glucose. A score's points from the items at hand (its fewest
possible points) still rank patients; they give no risk.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Float64Array
from hemocast.classical.pooled import pool
from hemocast.classical.scores import Fact, all_scores, apply
from hemocast.stats import Resampling

LEAST_ITEMS = 2
_FLAGS = {0.0: "no", 1.0: "yes"}


def score_rows(cohort: Cohort, resampling: Resampling) -> Iterator[tuple[str, int, int, str]]:
    """Rank the patients by every score with two or more items at hand.

    Yields
    ------
    tuple
        Name, items known of the best known patient, items in all, and the AUC with its interval.
    """
    columns = {
        variable.name: column
        for variable, column in zip(
            cohort.patients.variables, cohort.patients.values.T, strict=True
        )
    }
    people = np.column_stack([columns[name] for name in _COLUMNS])
    different, back = np.unique(people, axis=0, return_inverse=True)
    facts = [_facts(row) for row in different]
    best = max(facts, key=len)
    for score in all_scores().values():
        known = sum(item.points is not None for item in apply(score, best).items)
        if known < LEAST_ITEMS:
            continue
        points = np.array([apply(score, one).low for one in facts], dtype=np.float64)[back.ravel()]
        # A rank needs no risk: any rising numbers between 0 and 1 serve.
        area = pool(cohort, (points - points.min() + 1) / (np.ptp(points) + 2), resampling).auc
        shown = f"{area.value:.2f} ({area.ci_low:.2f} to {area.ci_high:.2f})"
        yield score.name, known, len(score.items), shown


_COLUMNS = ("AGE", "SEX", "RSBP", "RDELAY", "RATRIAL", "RASP3", "RCONSC", "STYPE", "RVISINF")


def _facts(row: Float64Array) -> dict[str, Fact]:
    """Say what the row tells in the words of the scores; what is not known is left out."""
    age, sex, pressure, delay, fibrillation, aspirin, alertness, syndrome, infarct = row
    told: dict[str, float | str | None] = {
        "age": _number(age),
        "sex": {0.0: "F", 1.0: "M"}.get(sex),
        "systolic_mmhg": _number(pressure),
        "onset_to_admission_hours": _number(delay),
        "atrial_fibrillation": _FLAGS.get(fibrillation),
        "antiplatelet_before": {0.0: "none", 1.0: "aspirin"}.get(aspirin),
        "reduced_consciousness": {0.0: "no", 1.0: "yes", 2.0: "yes"}.get(alertness),
        "stroke_subtype": {0.0: "nonlacunar", 1.0: "nonlacunar", 2.0: "lacunar"}.get(syndrome),
        "early_infarct_signs": _FLAGS.get(infarct),
    }
    return {name: Fact(value) for name, value in told.items() if value is not None}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

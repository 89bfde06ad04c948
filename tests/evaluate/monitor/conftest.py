"""Made-up trials: a year of scans, with whatever is to change in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from hemocast.evaluate.inputs.history import Feature, History, Outcomes, Scans


def make_history(seed: int, n: int = 600, days: int = 364, features: int = 4) -> History:
    """Scans of a year, one a patient, well calibrated; a tenth is refused."""
    rng = np.random.default_rng(seed)
    arrived = np.datetime64("2026-01-05T00:00:00") + np.sort(
        rng.integers(0, days * 86_400, n)
    ).astype("timedelta64[s]")
    status = np.where(rng.random(n) < 0.1, "refused", "done").astype(object)
    common = rng.normal(size=n)
    risk = expit(-1.4 + common)
    made = [
        Feature(
            "scanner", rng.choice(["GE", "Siemens", "Canon"], n, p=[0.6, 0.3, 0.1]).astype(object)
        ),
        *(Feature(f"sign{k}", common + rng.normal(size=n)) for k in range(features)),
    ]
    label = (rng.random(n) < risk).astype(float)
    nothing = np.full(n, "", dtype=object)
    done = status == "done"
    return History(
        Scans(
            np.array([f"p{k}" for k in range(n)], dtype=object),
            np.where(done, risk, np.nan),
            tuple(made),
            simulated=True,
        ),
        arrived,
        arrived - np.timedelta64(60, "s"),
        arrived + rng.integers(20, 200, n).astype("timedelta64[s]"),
        status,
        np.where(done, "", "HC303").astype(object),
        Outcomes(label, nothing, arrived + np.timedelta64(86_400, "s"), 0),
    )


@pytest.fixture
def trial() -> Callable[..., History]:
    """Return a function that makes a trial of a seed."""
    return make_history


def with_odds(history: History, odds: float, after: str, seed: int = 9) -> History:
    """Draw outcomes again after a time, all odds multiplied."""
    assert history.outcomes is not None
    rng = np.random.default_rng(seed)
    risk = np.nan_to_num(history.scans.probability, nan=0.2)
    late = history.arrived >= np.datetime64(after)
    drawn = rng.random(risk.size) < expit(logit(risk) + np.log(odds))
    label = np.where(late, drawn, history.outcomes.label)
    return replace(history, outcomes=replace(history.outcomes, label=label.astype(float)))


@pytest.fixture
def bleeding_more() -> Callable[..., History]:
    """Return a function that multiplies the odds after a time."""
    return with_odds

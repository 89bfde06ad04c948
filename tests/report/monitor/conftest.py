"""A silent trial in which the odds of bleeding double and a scanner comes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from hemocast.evaluate.inputs.history import Feature, History, Outcomes, Scans
from hemocast.evaluate.monitor.result import Monitored
from hemocast.evaluate.monitor.run import monitor


def make_trial(*, simulated: bool = True, outcomes: bool = True) -> History:
    rng = np.random.default_rng(1)
    n = 400
    arrived = np.datetime64("2026-01-05T00:00:00") + np.arange(n) * np.timedelta64(21 * 3600, "s")
    late = np.arange(n) > 200
    risk = expit(rng.normal(-1.4, 1, n))
    label = rng.random(n) < np.where(late, expit(np.log(risk / (1 - risk)) + 1.2), risk)
    status = np.where(np.arange(n) % 10 == 9, "refused", "done").astype(object)
    done = status == "done"
    words = np.where(late, "New & <b>fast</b>", "GE").astype(object)
    known = Outcomes(label.astype(float), np.where(label, "PH1", "").astype(object), arrived, 2)
    return History(
        Scans(
            np.array([f"p{k}" for k in range(n)], dtype=object),
            np.where(done, risk, np.nan),
            (Feature("scanner", words), Feature("infarct_ml", rng.normal(size=n))),
            simulated,
        ),
        arrived,
        np.full(n, np.datetime64("NaT", "s")),
        arrived + np.timedelta64(90, "s"),
        status,
        np.where(done, "", "HC303").astype(object),
        known if outcomes else None,
    )


@pytest.fixture(scope="session")
def trial() -> Monitored:
    return monitor(make_trial())


@pytest.fixture(scope="session")
def without_outcomes() -> Monitored:
    return monitor(make_trial(simulated=False, outcomes=False))

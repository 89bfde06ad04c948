"""Drift: what changed is named, and a patient scanned often is one patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.evaluate.inputs.history import Feature, History
from hemocast.evaluate.monitor.run import monitor

Trial = Callable[..., History]


def test_a_new_scanner_and_a_changed_sign_are_named(trial: Trial) -> None:
    history = trial(2)
    late = history.arrived >= np.datetime64("2026-09-01")
    scanner, sign, *others = history.scans.features
    changed = (
        Feature("scanner", np.where(late, "New", scanner.values).astype(object)),
        Feature(sign.name, np.where(late, sign.values + 1.5, sign.values)),
    )
    scans = replace(history.scans, features=(*changed, *others))
    found = monitor(replace(history, scans=scans))
    assert {look.feature for look in found.drifted} == {"scanner", "sign0"}
    assert min(look.start for look in found.drifted) >= np.datetime64("2026-08-01")


def test_more_refusals_are_drift(trial: Trial) -> None:
    history = trial(3)
    late = history.arrived >= np.datetime64("2026-09-01")
    status = np.where(late & (np.arange(600) % 2 == 0), "refused", history.status).astype(object)
    probability = np.where(status == "done", history.scans.probability, np.nan)
    scans = replace(history.scans, probability=probability)
    found = monitor(replace(history, scans=scans, status=status))
    assert {look.feature for look in found.drifted} == {"status"}


def test_several_scans_of_a_patient_are_no_more_evidence(trial: Trial) -> None:
    """Everybody scanned twice over: counted as scans, not as patients."""
    history = trial(6, n=300)
    twice = np.repeat(np.arange(300), 2)
    assert history.outcomes is not None
    outcomes = replace(
        history.outcomes,
        label=history.outcomes.label[twice], grade=history.outcomes.grade[twice],
        known_at=history.outcomes.known_at[twice],
    )  # fmt: skip
    doubled = History(
        history.scans.part(twice), history.arrived[twice], history.last_slice[twice],
        history.predicted[twice], history.status[twice], history.code[twice], outcomes,
    )  # fmt: skip
    once, found = monitor(history), monitor(doubled)
    assert found.traffic.whole.n == 2 * once.traffic.whole.n
    assert [look.p for look in found.looks] == [look.p for look in once.looks]
    assert found.followed is not None
    assert once.followed is not None
    assert found.followed.whole == once.followed.whole

"""Alone, in one place, and apart: what each way of learning gives."""

from __future__ import annotations

import numpy as np
import pytest
from tests.federate.conftest import SIZES, Hospitals, hospitals_of, patients

from hemocast.federate.rehearsal import FEDERATED, LOCAL, POOLED, RECALIBRATED, Rehearsal, rehearse
from hemocast.stats import Cases, auc


@pytest.fixture(scope="module")
def learned() -> tuple[Hospitals, Rehearsal]:
    """All ways, from the same hospitals."""
    # A weak ridge: with the usual one a hospital alone is hardly worse, and nothing would be shown.
    hospitals = hospitals_of(rounds=40, ridge=2.0)
    findings = {name: site.findings for name, site in hospitals.sites.items()}
    made = rehearse(hospitals.signed.plan, findings, hospitals.keys, hospitals.coordinator)
    return hospitals, made


def test_apart_is_about_as_good_as_in_one_place_and_better_than_alone(learned) -> None:
    _, made = learned
    fresh = patients("rural", 4000, seed=9)
    said = made.probabilities("rural", fresh.values)
    areas = {name: auc(Cases(fresh.label, p, fresh.patient)) for name, p in said.items()}
    assert abs(areas[POOLED] - areas[FEDERATED]) < 0.003
    assert areas[FEDERATED] > areas[LOCAL] + 0.002  # 60 patients alone
    assert areas[RECALIBRATED] == pytest.approx(areas[FEDERATED], abs=1e-9)


def test_the_local_calibration_keeps_the_common_threshold(learned) -> None:
    _, made = learned
    assert set(made.recalibrated) == set(made.local) == set(SIZES)
    common = made.federated.calibration.threshold
    assert {one.threshold for one in made.recalibrated.values()} == {common}
    shares = [made.local[name].calibration.threshold for name in SIZES]
    assert np.ptp(shares) > 0

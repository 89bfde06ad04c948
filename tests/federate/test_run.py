"""Hospitals learn together what all their patients in one place would teach."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from tests.federate.conftest import Hospitals, Unsteady, hospitals_of

from hemocast.errors import NotAgreed, PeerRefused
from hemocast.federate import Findings, federate
from hemocast.model import fit_calibration


def pooled(hospitals: Hospitals) -> Findings:
    """All patients in one place."""
    parts = [site.findings for site in hospitals.sites.values()]
    return Findings(*(np.concatenate([getattr(p, f) for p in parts]) for f in vars(parts[0])))


def optimum(hospitals: Hospitals) -> np.ndarray:
    """Ridge logistic regression of all patients, by another optimiser."""
    plan, everyone = hospitals.signed.plan, pooled(hospitals)
    design, label, weight = plan.design(everyone.values), everyone.label, everyone.weight

    def loss(beta: np.ndarray) -> float:
        eta = design @ beta
        likelihood = weight @ (np.logaddexp(0, eta) - label * eta)
        return float(likelihood + plan.ridge / 2 * beta[:-1] @ beta[:-1])

    return minimize(loss, np.zeros(plan.width), tol=1e-12).x


def test_with_one_step_a_round_they_find_what_one_place_would_find() -> None:
    hospitals = hospitals_of(rounds=800, local_steps=1)
    found = federate(hospitals.signed, hospitals.sites)
    np.testing.assert_allclose(found.head[0], optimum(hospitals), atol=1e-4)
    everyone = pooled(hospitals)
    logit = np.concatenate([site.out_of_fold(found.head) for site in hospitals.sites.values()])
    here = fit_calibration(everyone.label, logit, everyone.weight, everyone.patient)
    assert found.calibration.slope == pytest.approx(here.slope, abs=2e-3)
    assert found.calibration.intercept == pytest.approx(here.intercept, abs=2e-3)
    np.testing.assert_allclose(found.calibration.covariance, here.covariance, rtol=0.02)
    assert found.calibration.threshold == pytest.approx(here.prevalence, abs=1e-3)
    # The model takes findings as the encoder gives them.
    np.testing.assert_allclose(
        found.logit(everyone.values), hospitals.signed.plan.design(everyone.values) @ found.head[0]
    )


@pytest.mark.parametrize("proximal", [0.0, 0.1])
def test_with_many_steps_a_round_they_come_near_in_few_rounds(proximal: float) -> None:
    hospitals = hospitals_of(rounds=40, local_steps=20, proximal=proximal)
    found, best = federate(hospitals.signed, hospitals.sites), optimum(hospitals)
    everyone = hospitals.signed.plan.design(pooled(hospitals).values)
    apart = expit(everyone @ found.head[0]) - expit(everyone @ best)
    assert np.abs(apart).max() < 0.03


def test_a_hospital_that_drops_out_comes_back(hospitals: Hospitals) -> None:
    away = {"rural": Unsteady(hospitals.sites["rural"], set(range(5, 20)))}
    found = federate(hospitals.signed, hospitals.sites | away)
    whole = federate(hospitals.signed, hospitals_of().sites)
    assert "rural" not in found.took_part[4]
    assert "rural" in found.took_part[20]
    np.testing.assert_allclose(found.head, whole.head, atol=0.02)
    missing = {receipt.site: receipt.rounds for receipt in found.receipts}
    assert missing["city"] - missing["rural"] == 15


def test_what_was_done_is_kept_when_too_few_answer(tmp_path: Path, hospitals: Hospitals) -> None:
    gone = {
        name: Unsteady(site, {30})
        for name, site in hospitals.sites.items() if name != "city"
    }  # fmt: skip
    with pytest.raises(PeerRefused, match="1 of 4 hospitals answered"):
        federate(hospitals.signed, hospitals.sites | gone, tmp_path / "state.json")
    assert json.loads((tmp_path / "state.json").read_text())["phases"]["head"][0] == 29
    found = federate(hospitals.signed, hospitals.sites, tmp_path / "state.json")
    np.testing.assert_array_equal(found.head, federate(hospitals.signed, hospitals_of().sites).head)
    other = hospitals_of(rounds=61)
    with pytest.raises(NotAgreed, match="another plan"):
        federate(other.signed, other.sites, tmp_path / "state.json")

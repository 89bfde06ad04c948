"""All hospitals in one process: what each learns alone, all in one place, and all apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import StatisticsError
from hemocast.federate.keys import public_of
from hemocast.federate.plan import Plan, SignedPlan, sign_plan
from hemocast.federate.run import Federated, federate
from hemocast.federate.site import Findings, Site
from hemocast.model.calibrate import Calibration
from hemocast.model.recalibrate import recalibrate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LOCAL, POOLED, FEDERATED, RECALIBRATED = "local", "pooled", "federated", "federated-recalibrated"
_EVERYBODY = "all in one place"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rehearsal:
    """What was learned in each of the ways.

    Parameters
    ----------
    signed : SignedPlan
        Of the federation.
    local : dict of str to Federated
        Hospital -> what it learns of its own patients alone.
    pooled, federated : Federated
        All patients in one place; each hospital's where they are.
    recalibrated : dict of str to Calibration
        Hospital -> the federated calibration, brought up to date on its own patients.
    """

    signed: SignedPlan
    local: dict[str, Federated]
    pooled: Federated
    federated: Federated
    recalibrated: dict[str, Calibration]

    def probabilities(self, site: str, findings: Floats) -> dict[str, Floats]:
        """Give, for scans of a hospital, each way's probability of HT, shape (n,).

        Parameters
        ----------
        site : str
            Its local model and its local calibration are taken.
        findings : ndarray of float64, shape (n, d)
        """
        joint = self.federated
        ways = {
            LOCAL: (self.local[site], self.local[site].calibration),
            POOLED: (self.pooled, self.pooled.calibration),
            FEDERATED: (joint, joint.calibration),
            RECALIBRATED: (joint, self.recalibrated[site]),
        }
        return {
            name: np.array([curve.probability(float(one)) for one in found.logit(findings)])
            for name, (found, curve) in ways.items()
        }


def rehearse(
    plan: Plan,
    findings: Mapping[str, Findings],
    keys: Mapping[str, Ed25519PrivateKey],
    coordinator: Ed25519PrivateKey,
    state: Path | None = None,
) -> Rehearsal:
    """Learn in all ways, under the same plan but for who takes part.

    Parameters
    ----------
    plan : Plan
        Of the federation; its `sites` are filled in.
    findings, keys : mapping
        Of each hospital.
    coordinator : Ed25519PrivateKey
        Signs the plans.
    state : Path, optional
        See `hemocast.federate.run.federate`.

    Raises
    ------
    TooFewPatients
        A hospital has too few patients of a class.
    NotAgreed
        The state is of another plan.
    """
    names = {name: public_of(key) for name, key in keys.items()}
    signed = sign_plan(plan.model_copy(update={"sites": names}), coordinator)
    sites = {name: Site(name, findings[name], signed, keys[name]) for name in findings}
    joint = federate(signed, sites, state)
    return Rehearsal(
        signed,
        {name: _alone(plan, name, findings[name], coordinator) for name in findings},
        _alone(plan, _EVERYBODY, _joined(findings), coordinator),
        joint,
        {name: _recalibrated(joint, site) for name, site in sites.items()},
    )


def _alone(plan: Plan, name: str, findings: Findings, coordinator: Ed25519PrivateKey) -> Federated:
    """Learn as a federation of one."""
    nobody_else = {"least_sites": 1, "secure_aggregation": False, "privacy": None}
    one = plan.model_copy(update={"sites": {name: public_of(coordinator)}} | nobody_else)
    signed = sign_plan(one, coordinator)
    return federate(signed, {name: Site(name, findings, signed, coordinator)})


def _joined(findings: Mapping[str, Findings]) -> Findings:
    parts = tuple(findings.values())
    return Findings(
        np.concatenate([one.values for one in parts]),
        np.concatenate([one.label for one in parts]),
        np.concatenate([one.patient for one in parts]),
    )


def _recalibrated(joint: Federated, site: Site) -> Calibration:
    """Bring the calibration up to date where the patients are; the threshold stays the common.

    Where noise left nothing that a curve could be fitted to, the common one stays.
    """
    own = site.findings
    logit = site.out_of_fold(joint.head)
    try:
        local, _ = recalibrate(joint.calibration, logit, own.label, own.patient)
    except StatisticsError:
        return joint.calibration
    return replace(local, threshold=joint.calibration.threshold)

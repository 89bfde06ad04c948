"""Four made-up hospitals with findings of their own, and the plan that they signed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hemocast.errors import PeerRefused
from hemocast.federate import Findings, Plan, SignedPlan, Site, sign_plan
from hemocast.federate.keys import public_of
from hemocast.federate.site import Task

SIZES = {"university": 240, "city": 180, "county": 120, "rural": 60}
TRUE = np.array([1.2, -0.8, 0.0, 0.4])


def patients(name: str, n: int, seed: int = 0) -> Findings:
    """Findings whose mean differs from hospital to hospital, one risk for all; some scans twice."""
    rng = np.random.default_rng([seed, len(name)])
    values = rng.normal(len(name) / 20, 1, (n, 4)) * [1, 2, 0.5, 1] + [0, 3, 0, -1]
    logit = (values - [0, 3, 0, -1]) / [1, 2, 0.5, 1] @ TRUE - 1.2
    label = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    who = np.array([f"{name}-{i}" for i in range(n)], object)
    again = np.arange(0, n, 5)
    order = np.concatenate([np.arange(n), again])
    return Findings(values[order] + 0.0, label[order], who[order])


@dataclass(frozen=True)
class Hospitals:
    """Sites with their keys and plan."""

    signed: SignedPlan
    sites: dict[str, Site]
    coordinator: Ed25519PrivateKey
    keys: dict[str, Ed25519PrivateKey]


def hospitals_of(**changes: object) -> Hospitals:
    """Make four hospitals under a plan with some settings changed."""
    coordinator = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
    keys = {name: Ed25519PrivateKey.from_private_bytes(name[:1].encode() * 32) for name in SIZES}
    keys["city"] = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    plain = {
        "name": "ht", "horizon": "HT on a later scan", "population": "made-up patients",
        "encoder": "0" * 64, "middle": (0.0, 3.0, 0.0, -1.0), "spread": (1.0, 2.0, 0.5, 1.0),
        "sites": {name: public_of(key) for name, key in keys.items()},
    }  # fmt: skip
    signed = sign_plan(Plan.model_validate(plain | changes), coordinator)
    sites = {name: Site(name, patients(name, n), signed, keys[name]) for name, n in SIZES.items()}
    return Hospitals(signed, sites, coordinator, keys)


@pytest.fixture
def hospitals() -> Hospitals:
    """Four hospitals."""
    return hospitals_of()


class Unsteady:
    """A hospital that is away for some rounds."""

    def __init__(self, site: Site, away: set[int]) -> None:
        self._site, self._away = site, away

    def __getattr__(self, name: str) -> object:
        return getattr(self._site, name)

    def learn(self, task: Task) -> np.ndarray:
        """Answer, or be away."""
        if task.phase == "head" and task.round in self._away:
            raise PeerRefused("No answer", "an answer", "Wait")
        return self._site.learn(task)

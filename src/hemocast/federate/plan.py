"""What hospitals agree on before the first round: signed, and the same to the last number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from hemocast.config import PrepareConfig, Settings
from hemocast.errors import NotAgreed
from hemocast.federate.keys import is_signed, public_of
from hemocast.federate.privacy import Privacy

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DIGITS_64 = "^[0-9a-f]{64}$"
"""Of a public key or a SHA-256."""
SITE_NAME = r"^\w[\w .+-]{0,59}$"
"""Of a hospital that has a folder of its own: it is quoted in settings and in names of files."""
FOLDS = 5
"""Parts of each hospital's patients; the calibration is of logits that had not seen the patient."""


class Plan(Settings):
    """One training of several hospitals.

    Parameters
    ----------
    name : str
        Of the model.
    horizon, population : str
        What its probability is a probability of, and in whom.
    encoder : str
        SHA-256 of the encoder's weights, which all hospitals have.
    prepare : PrepareConfig
        How every hospital makes stacks of its scans.
    middle, spread : tuple of float
        Of each finding, from a sample that is no hospital's secret; all scale by them, so that no
        mean of a hospital has to travel.
    sites : dict
        Name of each hospital -> its public key, 64 hexadecimal digits.
    rounds, local_steps : int
        Rounds of each phase, and steps of gradient descent within one.
    rate : float
        Length of a step.
    ridge : float
        Weight of the squared slopes, in patients, as in `hemocast.train.pretrain.head`.
    proximal : float
        FedProx's pull to the round's common weights (Li 2020, MLSys 2:429-450); 0: FedAvg (McMahan
        2017, AISTATS, PMLR 54:1273-1282).
    least_sites : int
        With fewer answers a round is not finished; at least 3 with secure aggregation, since of a
        mean of two each knows the other's part.
    secure_aggregation : bool
        Weights leave a hospital masked, and the coordinator learns their mean alone; see
        `hemocast.federate.flower.secagg`. Without it the coordinator sees each hospital's.
    privacy : Privacy or None
        Differential privacy of a hospital's updates; None: none, epsilon is infinite.
    simulator : int or None
        Version of the simulator that made every hospital's scans; None: they show patients. A
        hospital whose scans are of the other kind does not take part.
    seed : int
        Deals patients into folds.
    """

    schema_version: int = 1
    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w .+-]+$")
    horizon: str = Field(max_length=500)
    population: str = Field(max_length=500)
    encoder: str = Field(pattern=DIGITS_64)
    prepare: PrepareConfig = PrepareConfig()
    middle: tuple[float, ...] = Field(min_length=1)
    spread: tuple[float, ...] = Field(min_length=1)
    sites: dict[str, str] = Field(min_length=1)
    rounds: int = Field(60, ge=1, le=10_000)
    local_steps: int = Field(10, ge=1, le=1000)
    rate: float = Field(0.5, gt=0, le=10)
    ridge: float = Field(10.0, ge=0)
    proximal: float = Field(0.0, ge=0)
    least_sites: int = Field(2, ge=1)
    secure_aggregation: bool = False
    privacy: Privacy | None = None
    simulator: int | None = Field(None, ge=1)
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.middle) != len(self.spread) or min(self.spread) <= 0:
            raise ValueError("middle and spread need as many numbers, spreads above 0")
        if not all(len(key) == len(_ZERO) and set(key) <= _HEX for key in self.sites.values()):
            raise ValueError("a site's public key has 64 hexadecimal digits")
        if self.secure_aggregation and self.least_sites < 3:
            raise ValueError("secure aggregation needs least_sites of 3 or more")
        return self

    @property
    def width(self) -> int:
        """Weights of one last layer: a slope for each finding, and the bias."""
        return len(self.middle) + 1

    @property
    def releases(self) -> int:
        """Updates that a hospital sends in all: one a round of both phases, and the last sum."""
        return 2 * self.rounds + 1

    def design(self, findings: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
        """Scale findings, shape (n, d), and add a column of ones, shape (n, d + 1)."""
        scaled = (findings - np.array(self.middle)) / np.array(self.spread)
        return np.column_stack([scaled, np.ones(len(findings))])


_ZERO, _HEX = "0" * 64, frozenset("0123456789abcdef")


@dataclass(frozen=True)
class SignedPlan:
    """A plan as it travels.

    Parameters
    ----------
    plan : Plan
    coordinator : str
        Public key of who signed it.
    signature : str
        Of `content`.
    """

    plan: Plan
    coordinator: str
    signature: str

    @property
    def content(self) -> bytes:
        """The bytes that are signed."""
        return json.dumps(self.plan.model_dump(mode="json"), sort_keys=True).encode()

    def to_json(self) -> str:
        """Write it down; `parse` reads it."""
        plain = {
            "plan": self.plan.model_dump(mode="json"),
            "coordinator": self.coordinator,
            "signature": self.signature,
        }
        return json.dumps(plain, indent=1, sort_keys=True) + "\n"

    @classmethod
    def parse(cls, text: str, coordinator: str) -> SignedPlan:
        """Read a plan, and refuse one that the coordinator did not sign.

        Parameters
        ----------
        text : str
            Of `to_json`.
        coordinator : str
            The public key, as the hospital got it by another way.

        Raises
        ------
        NotAgreed
            A letter of it was changed, or somebody else signed it.
        """
        try:
            plain = json.loads(text)
            signed = cls(
                Plan.model_validate(plain["plan"]), plain["coordinator"], plain["signature"]
            )
        except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
            raise NotAgreed(
                "The file holds no plan", "a signed plan", "Ask for it again"
            ) from error
        if signed.coordinator != coordinator or not is_signed(
            signed.content, signed.signature, coordinator
        ):
            raise NotAgreed(
                "The plan is not as its coordinator signed it",
                "the signature of the coordinator whose key you were given",
                "Ask for plan and key again, by two ways",
            )
        return signed


def sign_plan(plan: Plan, key: Ed25519PrivateKey) -> SignedPlan:
    """Sign a plan as its coordinator."""
    unsigned = SignedPlan(plan, public_of(key), "")
    return SignedPlan(plan, unsigned.coordinator, key.sign(unsigned.content).hex())

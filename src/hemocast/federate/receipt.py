"""A hospital's receipt: what it took part in, signed by it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import NotAgreed
from hemocast.federate.keys import is_signed
from hemocast.federate.plan import Plan, SignedPlan
from hemocast.version import VERSION

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Receipt:
    """What a hospital says it did.

    Parameters
    ----------
    site : str
    plan : str
        SHA-256 of the plan.
    n_patients, n_events : int
        It learned from; with HT among them.
    rounds : int
        It answered: different questions for an update.
    model : str
        SHA-256 of the weights that came of it.
    epsilon, delta : float or None
        Of differential privacy, of all the updates that left; the unit is the hospital's whole
        update. None: no noise was added, and there is no such bound.
    software : str
        Version.
    signature : str
        By the hospital's key; "" before.
    """

    site: str
    plan: str
    n_patients: int
    n_events: int
    rounds: int
    model: str
    epsilon: float | None = None
    delta: float | None = None
    software: str = VERSION
    signature: str = ""

    @classmethod
    def of(
        cls,
        site: str,
        signed: SignedPlan,
        counts: tuple[int, int],
        answered: Sequence[str],
        weights: NDArray[np.float64],
    ) -> Receipt:
        """Write one, not signed yet."""
        plan, updates = hashlib.sha256(signed.content).hexdigest(), len(set(answered))
        receipt = cls(site, plan, *counts, updates, hash_weights(weights))
        if (privacy := signed.plan.privacy) is None:
            return receipt
        return replace(receipt, epsilon=privacy.epsilon(updates), delta=privacy.delta)

    @property
    def content(self) -> bytes:
        """The bytes that are signed."""
        return json.dumps(asdict(replace(self, signature="")), sort_keys=True).encode()

    def signed(self, key: Ed25519PrivateKey) -> Receipt:
        """Return it with the hospital's signature."""
        return replace(self, signature=key.sign(self.content).hex())

    def holds(self, public: str) -> bool:
        """Whether the owner of a public key signed it as it is."""
        return is_signed(self.content, self.signature, public)


def check_receipts(
    receipts: Mapping[str, Receipt], signed: SignedPlan, weights: NDArray[np.float64]
) -> None:
    """Refuse a receipt that is of other weights or another plan, or not signed by its hospital.

    Parameters
    ----------
    receipts : mapping
        Name of the hospital -> its receipt.
    signed : SignedPlan
    weights : ndarray of float64

    Raises
    ------
    NotAgreed
    """
    model, plan = hash_weights(weights), hashlib.sha256(signed.content).hexdigest()
    for name, receipt in receipts.items():
        said = (receipt.site, receipt.plan, receipt.model)
        public = signed.plan.sites.get(name)
        if said != (name, plan, model) or public is None or not receipt.holds(public):
            raise NotAgreed(
                "A hospital's receipt is not of this model, or not signed by its key",
                "a receipt of each hospital for the weights that came of it",
                "Ask the hospital",
            )


def hash_weights(weights: NDArray[np.float64]) -> str:
    """SHA-256 of weights, as 64-bit numbers."""
    return hashlib.sha256(np.ascontiguousarray(weights, "<f8").tobytes()).hexdigest()


def site_card(receipt: Receipt, signed: SignedPlan) -> str:
    """Say in Markdown, for the hospital's own files, what left it and what did not."""
    plan = signed.plan
    numbers = 6 * plan.width
    return f"""# {receipt.site}: part in {plan.name}

Patients {receipt.n_patients}, {receipt.n_events} with HT. Answered {receipt.rounds} rounds.

What left: the two counts above; in each round of the last layer {numbers} weights, in each of the
calibration 2; once a mean over all patients of 2 x 2 numbers; this receipt. What did not: scans,
findings, logits, labels, names.

{_seen(plan)}
{_hidden(receipt, plan)}

Plan {receipt.plan}, signed by {signed.coordinator}.
Weights {receipt.model}. Hemocast {receipt.software}.
"""


def _seen(plan: Plan) -> str:
    """Say who can see the weights that left."""
    if plan.secure_aggregation:
        return (
            "Weights left masked (SecAgg+): the coordinator learned the mean over the hospitals,\n"
            "not those of this hospital."
        )
    return "The coordinator saw the weights of this hospital."


def _hidden(receipt: Receipt, plan: Plan) -> str:
    """Say what differential privacy there is, and of what."""
    if plan.privacy is None:
        return "No noise was added: there is no bound on what weights tell of a patient."
    return (
        f"Each update was cut to length {plan.privacy.clip:g}, with noise of {plan.privacy.sd:g}\n"
        f"on each number: epsilon {receipt.epsilon:.2f} at delta {receipt.delta:g}, of this\n"
        "hospital's whole update, one patient or all. The counts are exact."
    )

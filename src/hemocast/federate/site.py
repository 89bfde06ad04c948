"""What a hospital computes on its own patients, and all that it says of them.

Three answers leave: counts of patients, weights, and once, for the interval of the calibration, a
2x2 mean over all patients. Findings, logits, labels and names stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from hemocast.errors import NotAgreed, TooFewPatients
from hemocast.federate.keys import public_of
from hemocast.federate.plan import FOLDS, SignedPlan
from hemocast.federate.receipt import Receipt

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Floats = NDArray[np.float64]
Phase = Literal["head", "calibration"]
LEAST = 5
"""Patients of each class that a hospital must have: of fewer a weight could tell of one of them."""


@dataclass(frozen=True)
class Findings:
    """What the encoder says of a hospital's scans.

    Parameters
    ----------
    values : ndarray of float64, shape (n, d)
    label : ndarray of int64, shape (n,)
        1 HT, 0 no HT.
    patient : ndarray, shape (n,)
        Whose scan each is.
    """

    values: Floats
    label: NDArray[np.int64]
    patient: NDArray[np.object_]

    def part(self, chosen: NDArray[np.bool_]) -> Findings:
        """Return some of the scans."""
        return Findings(self.values[chosen], self.label[chosen], self.patient[chosen])

    @property
    def weight(self) -> Floats:
        """Of each scan: those of a patient sum to 1."""
        _, whose, scans = np.unique(
            self.patient.astype(str), return_inverse=True, return_counts=True
        )
        return np.asarray(1.0 / scans[whose])


@dataclass(frozen=True)
class Counts:
    """Patients of a hospital, and those with HT among them."""

    n_patients: int
    n_events: int


@dataclass(frozen=True)
class Task:
    """What a hospital is asked in a round.

    Parameters
    ----------
    phase : {"head", "calibration"}
    round : int
        From 1.
    weights : ndarray of float64
        Shape (1 + FOLDS, width) of the last layer, the first for all patients and the others each
        without a fold; or (2,), slope and intercept of the calibration.
    everyone : Counts
        Of all hospitals.
    head : ndarray of float64 or None
        In the phase of calibration: the last layers that the first phase ended with.
    """

    phase: Phase
    round: int
    weights: Floats
    everyone: Counts
    head: Floats | None = None

    def digest(self) -> str:
        """SHA-256 of all of it."""
        arrays = [self.weights] if self.head is None else [self.weights, self.head]
        text = f"{self.phase} {self.round} {self.everyone} {[one.shape for one in arrays]}"
        numbers = b"".join(np.ascontiguousarray(one, "<f8").tobytes() for one in arrays)
        return hashlib.sha256(text.encode() + numbers).hexdigest()


@dataclass
class Site:
    """A hospital, as it answers.

    Parameters
    ----------
    name : str
        As in the plan.
    findings : Findings
        Of its patients: never leaves.
    signed : SignedPlan
        Checked by the hospital when it was read.
    key : Ed25519PrivateKey
        Its own.

    Raises
    ------
    NotAgreed
        The plan does not name the hospital with this key, or is of another encoder's findings; or,
        when asked, more updates are asked for than the plan's privacy allows.
    TooFewPatients
        Fewer than `LEAST` patients of a class.
    """

    name: str
    findings: Findings
    signed: SignedPlan
    key: Ed25519PrivateKey = field(repr=False)
    answered: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        plan = self.signed.plan
        if plan.sites.get(self.name) != public_of(self.key):
            raise NotAgreed(
                "The plan does not name this hospital with this key",
                "the name and public key that were sent to the coordinator",
                "Send them, and ask for a new plan",
            )
        if self.findings.values.shape[1] + 1 != plan.width:
            raise NotAgreed(
                f"The encoder gives {self.findings.values.shape[1]} findings a scan",
                f"{plan.width - 1}, as the plan says",
                "Take the encoder of the plan",
            )
        counts = self.counts()
        if min(counts.n_events, counts.n_patients - counts.n_events) < LEAST:
            raise TooFewPatients(
                f"{counts.n_patients} patients, {counts.n_events} with HT",
                f"at least {LEAST} of each class in every hospital",
                "Join two hospitals' data, or wait for more patients",
            )

    def counts(self) -> Counts:
        """Count patients."""
        weight = self.findings.weight
        return Counts(round(weight.sum()), round(float(weight @ self.findings.label)))

    def learn(self, task: Task) -> Floats:
        """Take the steps of a round from the common weights; return where they lead."""
        return self._leave(task.phase, task, task.weights, self._learned)

    def information(self, task: Task) -> Floats:
        """Mean, over its patients, of what tells how sure slope and intercept are, shape (2, 2)."""
        return self._leave("information", task, np.zeros((2, 2)), self._informed)

    def _learned(self, task: Task) -> Floats:
        if task.phase == "calibration":
            return self._descend(self._oof(task), task, task.weights, self._softened(task))
        design = self.signed.plan.design(self.findings.values)
        label = self.findings.label.astype(np.float64)
        fold, weight = self._folds(), self.findings.weight
        rows = [
            self._descend((design, np.where(fold == k, 0.0, weight)), task, row, label)
            for k, row in enumerate(task.weights)
        ]
        return np.array(rows)

    def _informed(self, task: Task) -> Floats:
        design, weight = self._oof(task)
        risk = expit(design @ task.weights)
        share = weight / weight.sum()
        return np.asarray(design.T @ (design * (share * risk * (1 - risk))[:, None]))

    def _leave(
        self, question: str, task: Task, start: Floats, compute: Callable[[Task], Floats]
    ) -> Floats:
        """Note a question and answer it: with noise, and as often as agreed, if the plan has it."""
        asked = f"{question}-{task.round}-{task.digest()[:16]}"
        privacy, plan = self.signed.plan.privacy, self.signed.plan
        if privacy and len({*self.answered, asked}) > plan.releases:
            raise NotAgreed(
                f"{plan.releases} updates have left, and another one is asked for",
                "as many as the plan's epsilon counts",
                "Ask for a new plan",
            )
        self.answered.append(asked)
        found = compute(task)
        if privacy is None:
            return found
        secret = b"noise" + self.key.private_bytes_raw() + asked.encode() + plan.hash().encode()
        return start + privacy.hide(found - start, secret)

    def out_of_fold(self, head: Floats) -> Floats:
        """Return every scan's logit by the last layer that had not seen its patient; stays here."""
        design, fold = self.signed.plan.design(self.findings.values), self._folds()
        return np.asarray((design * head[fold]).sum(axis=1))

    def receipt(self, weights: Floats) -> Receipt:
        """Sign what was taken part in, and which model came of it."""
        counts = self.counts()
        patients = (counts.n_patients, counts.n_events)
        return Receipt.of(self.name, self.signed, patients, self.answered, weights).signed(self.key)

    def _oof(self, task: Task) -> tuple[Floats, Floats]:
        if task.head is None:
            raise NotAgreed(
                "The round of calibration comes without a last layer",
                "the last layers of the first phase",
                "Start again",
            )
        logit = self.out_of_fold(task.head)
        return np.column_stack([logit, np.ones_like(logit)]), self.findings.weight

    def _softened(self, task: Task) -> Floats:
        """Platt's targets, of the counts of all hospitals; see `hemocast.model.calibrate`."""
        ones = task.everyone.n_events
        zeros = task.everyone.n_patients - ones
        return np.where(self.findings.label == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))

    def _descend(
        self, data: tuple[Floats, Floats], task: Task, start: Floats, target: Floats
    ) -> Floats:
        """Descend the mean loss of this hospital's patients, pulled as the plan says."""
        design, weight = data
        plan, beta = self.signed.plan, start.copy()
        ridge = plan.ridge / task.everyone.n_patients if task.phase == "head" else 0.0
        mean = design * (weight / weight.sum())[:, None]
        for _ in range(plan.local_steps):
            slope = mean.T @ (expit(design @ beta) - target)
            slope[:-1] += ridge * beta[:-1]
            beta -= plan.rate * (slope + plan.proximal * (beta - start))
        return beta

    def _folds(self) -> NDArray[np.int64]:
        """Deal patients into parts 1 to FOLDS, each class for itself."""
        people = np.unique(self.findings.patient.astype(str))
        whose = np.searchsorted(people, self.findings.patient.astype(str))
        outcome = np.zeros(len(people), np.int64)
        np.maximum.at(outcome, whose, self.findings.label)
        rng = np.random.default_rng(self.signed.plan.seed)
        order = np.argsort(outcome[shuffled := rng.permutation(len(people))], kind="stable")
        part = np.empty(len(people), np.int64)
        part[shuffled[order]] = np.arange(len(people)) % FOLDS + 1
        return part[whose]

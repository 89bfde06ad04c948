"""The coordinator's side: rounds, each the mean of what hospitals answer, weighed by patients."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hemocast.errors import NotAgreed, PeerRefused
from hemocast.federate.plan import FOLDS, SignedPlan
from hemocast.federate.receipt import Receipt, check_receipts
from hemocast.federate.site import Counts, Phase, Task
from hemocast.files import write_json
from hemocast.model.calibrate import Calibration

Floats = NDArray[np.float64]
Answer = TypeVar("Answer")
Question = Literal["learn", "information"]
_LEAST_INFORMATION = 1e-3
"""Of a patient, where noise leaves less."""


class Answers(Protocol):
    """A hospital as the coordinator sees it; `PeerRefused` where it does not answer."""

    def counts(self) -> Counts:
        """Count patients."""

    def learn(self, task: Task) -> Floats:
        """Return weights."""

    def information(self, task: Task) -> Floats:
        """Return the mean for the calibration's interval."""

    def receipt(self, weights: Floats) -> Receipt:
        """Return a signed receipt."""


class Together(Protocol):
    """How the mean of the hospitals' answers is had."""

    def mean(
        self, question: Question, task: Task, counts: Mapping[str, Counts], least: int
    ) -> tuple[Floats, tuple[str, ...]]:
        """Return the mean, by patients, and who answered; `PeerRefused` if fewer than `least`."""


@dataclass(frozen=True)
class Openly:
    """The coordinator sees what each hospital answers, and takes the mean.

    Parameters
    ----------
    sites : mapping
        Name -> the hospital.
    """

    sites: Mapping[str, Answers]

    def mean(
        self, question: Question, task: Task, counts: Mapping[str, Counts], least: int
    ) -> tuple[Floats, tuple[str, ...]]:
        """Ask all; see `Together`."""
        answers = ask_all(self.sites, methodcaller(question, task), least)
        return average(answers, counts), tuple(answers)


@dataclass(frozen=True)
class Federated:
    """What came of it.

    Parameters
    ----------
    head : ndarray of float64, shape (1 + FOLDS, width)
        The last layer in the plan's scale; the first row is the model's.
    weight, bias : ndarray of float64, float
        The same for findings as the encoder gives them.
    calibration : Calibration
        Threshold: the share with HT among all hospitals' patients.
    receipts : tuple of Receipt
        Of the hospitals that were there at the end, their signatures checked.
    took_part : tuple of tuple of str
        Of every round, who answered.
    """

    head: Floats
    weight: Floats
    bias: float
    calibration: Calibration
    receipts: tuple[Receipt, ...]
    took_part: tuple[tuple[str, ...], ...]

    @classmethod
    def of(
        cls,
        signed: SignedPlan,
        head: Floats,
        calibration: Calibration,
        receipts: tuple[Receipt, ...],
        took_part: tuple[tuple[str, ...], ...],
    ) -> Federated:
        """Take the first row of the last layers out of the plan's scale."""
        weight = head[0, :-1] / np.array(signed.plan.spread)
        bias = float(head[0, -1] - weight @ np.array(signed.plan.middle))
        return cls(head, weight, bias, calibration, receipts, took_part)

    def logit(self, findings: Floats) -> Floats:
        """Return the logit of every scan, findings of shape (n, d)."""
        return np.asarray(findings @ self.weight + self.bias)


def federate(
    signed: SignedPlan,
    sites: Mapping[str, Answers],
    state: Path | None = None,
    together: Together | None = None,
) -> Federated:
    """Train one last layer and its calibration on the patients of several hospitals.

    A hospital that does not answer is left out of the round, and is in again when it does; its
    patients count as they were counted in the beginning.

    Parameters
    ----------
    signed : SignedPlan
    sites : mapping
        Name -> the hospital.
    state : Path, optional
        File that keeps the weights after every round: a run that was stopped goes on from it.
    together : Together, optional
        By default `Openly`, whatever the plan says: in one process nobody is there to hide from.

    Raises
    ------
    NotAgreed
        A hospital is not in the plan, or its receipt does not hold; the state is of another plan.
    PeerRefused
        In a round fewer hospitals answered than the plan needs.
    """
    if strangers := sorted(set(sites) - set(signed.plan.sites)):
        raise NotAgreed(
            f"{len(strangers)} hospital(s) are not in the plan", "those it names", "Sign a new one"
        )
    with ThreadPoolExecutor(len(sites)) as threads:  # all must be there to begin
        counted = threads.map(lambda site: site.counts(), sites.values())
        counts = dict(zip(sites, counted, strict=True))
    rounds = _Rounds(signed, together or Openly(sites), counts, state)
    head = rounds.run("head", np.zeros((1 + FOLDS, signed.plan.width)))
    curve = rounds.run("calibration", np.array([1.0, 0.0]), head)
    slope, intercept = max(float(curve[0]), 0.01), float(curve[1])
    last = Task("calibration", 0, np.array([slope, intercept]), rounds.everyone, head)
    covariance = rounds.covariance(last)
    (vss, vsi), (_, vii) = covariance.tolist()
    everyone = rounds.everyone
    share = everyone.n_events / everyone.n_patients
    receipts = ask_all(sites, lambda site: site.receipt(head), rounds.least)
    check_receipts(receipts, signed, head)
    calibration = Calibration(
        slope, intercept, ((vss, vsi), (vsi, vii)), share, everyone.n_patients,
        everyone.n_patients, share,
    )  # fmt: skip
    return Federated.of(
        signed, head, calibration, tuple(receipts.values()), tuple(rounds.took_part)
    )


def average(answers: Mapping[str, Floats], counts: Mapping[str, Counts]) -> Floats:
    """Mean of the hospitals' weights, each weighed by its patients."""
    shares = np.array([counts[name].n_patients for name in answers], np.float64)
    return np.asarray(np.average(np.array(list(answers.values())), axis=0, weights=shares))


def ask_all(
    sites: Mapping[str, Answers], question: Callable[[Answers], Answer], least: int
) -> dict[str, Answer]:
    """Ask all hospitals at once; refuse to go on with fewer answers than the least."""
    answers: dict[str, Answer] = {}
    with ThreadPoolExecutor(len(sites)) as threads:
        begun = {name: threads.submit(question, one) for name, one in sites.items()}
    for name, answer in begun.items():
        with suppress(PeerRefused):
            answers[name] = answer.result()
    if len(answers) < least:
        raise PeerRefused(
            f"{len(answers)} of {len(sites)} hospitals answered",
            f"at least {least}, as the plan says",
            "Start again when they are back: finished rounds are kept",
        )
    return answers


class _Rounds:
    """The rounds of both phases."""

    def __init__(
        self,
        signed: SignedPlan,
        together: Together,
        counts: Mapping[str, Counts],
        state: Path | None,
    ) -> None:
        self._signed, self._together, self._counts, self._state = signed, together, counts, state
        self.least = min(signed.plan.least_sites, len(counts))
        self.everyone = Counts(
            sum(one.n_patients for one in counts.values()),
            sum(one.n_events for one in counts.values()),
        )
        self.took_part: list[tuple[str, ...]] = []
        self._kept = self._read()

    def run(self, phase: Phase, start: Floats, head: Floats | None = None) -> Floats:
        """Go through the rounds of a phase, from where an earlier run stopped."""
        done, weights = 0, start
        if kept := self._kept.get(phase):
            done, weights = kept[0], np.array(kept[1])
        for number in range(done + 1, self._signed.plan.rounds + 1):
            task = Task(phase, number, weights, self.everyone, head)
            weights, answered = self._together.mean("learn", task, self._counts, self.least)
            self.took_part.append(answered)
            self._keep(phase, number, weights)
        return weights

    def covariance(self, task: Task) -> Floats:
        """Return the covariance of slope and intercept.

        Under differential privacy the noise of the last round is added, and what noise makes of the
        patients' information counts for a little at least: the interval errs to the wide side.
        """
        mean, answered = self._together.mean("information", task, self._counts, self.least)
        patients = np.array([self._counts[name].n_patients for name in answered], np.float64)
        if (privacy := self._signed.plan.privacy) is None:
            return np.asarray(np.linalg.inv(mean * patients.sum()))
        values, axes = np.linalg.eigh((mean + mean.T) / 2)
        known = 1 / (np.maximum(values, _LEAST_INFORMATION) * patients.sum())
        noise = privacy.sd**2 * float(patients @ patients) / patients.sum() ** 2
        return np.asarray((axes * known) @ axes.T + noise * np.eye(2))

    def _keep(self, phase: Phase, number: int, weights: Floats) -> None:
        if self._state is not None:
            self._kept[phase] = (number, weights.tolist())
            plain = {"plan": self._signed.plan.hash(), "phases": self._kept}
            write_json(self._state, plain)

    def _read(self) -> dict[str, tuple[int, list[float]]]:
        if self._state is None or not self._state.is_file():
            return {}
        plain = json.loads(self._state.read_text(encoding="utf-8"))
        if plain["plan"] != self._signed.plan.hash():
            raise NotAgreed(
                "The state that was kept is of another plan",
                "that of this plan, or none",
                "Name another folder",
            )
        return dict(plain["phases"])

"""Who is at the other end of the wire, and what is asked of them.

Which SuperNode is which hospital is proved by the hospital's own key: it signs a number that was
drawn for the occasion.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, RecordDict
from flwr.serverapp import Grid
from numpy.typing import NDArray

from hemocast.errors import PeerRefused
from hemocast.federate.keys import is_signed
from hemocast.federate.plan import SignedPlan
from hemocast.federate.receipt import Receipt
from hemocast.federate.site import Counts, Task

Floats = NDArray[np.float64]
QUERY = "query"


class Nodes:
    """Which SuperNode is which hospital, and questions to them.

    Parameters
    ----------
    grid : Grid
        Flower's.
    signed : SignedPlan
    patience : float
        Seconds after which a hospital counts as away.
    """

    def __init__(self, grid: Grid, signed: SignedPlan, patience: float) -> None:
        self._grid, self._signed, self._patience = grid, signed, patience
        self._known: dict[int, str] = {}
        self._meeting = Lock()

    def wait(self) -> None:
        """Wait until every hospital of the plan is there.

        Raises
        ------
        PeerRefused
            One is not, after ten times the patience.
        """
        end = time.monotonic() + 10 * self._patience
        while missing := set(self._signed.plan.sites) - set(self._known.values()):
            if time.monotonic() > end:
                raise PeerRefused(
                    f"{len(missing)} hospital(s) of the plan did not come",
                    "all of them in the beginning",
                    "Start their SuperNodes, then start again",
                )
            self.meet()
            time.sleep(0.5)

    def meet(self) -> None:
        """Ask SuperNodes that are not known yet who they are, and forget those that are gone."""
        there = set(self._grid.get_node_ids())
        self._known = {node: name for node, name in self._known.items() if node in there}
        nonces = {node: secrets.token_bytes(32) for node in there - self._known.keys()}
        asked = {node: asking("who", nonce=nonce.hex()) for node, nonce in nonces.items()}
        for node, answer in self._send(asked).items():
            said = answer["said"]
            name, signature = str(said["site"]), str(said["signature"])
            if is_signed(nonces[node], signature, self._signed.plan.sites.get(name, "")):
                self._known[node] = name

    def there(self) -> dict[str, int]:
        """Meet who is new; give each hospital's SuperNode, of those that are there."""
        with self._meeting:
            self.meet()
            # The latest counts: that an earlier one is gone may not have been told yet.
            return {name: node for node, name in self._known.items()}

    def ask(self, name: str, question: RecordDict) -> RecordDict:
        """Ask a hospital; one that restarted has another SuperNode, which is met first.

        Raises
        ------
        PeerRefused
            It is away, or says that it cannot.
        """
        if (node := self.there().get(name)) is None:
            raise PeerRefused("A hospital is away", "its SuperNode", "Start it again")
        if (answer := self._send({node: question}).get(node)) is None:
            raise PeerRefused("A hospital gave no answer", "one within the patience", "See its log")
        return answer

    def _send(self, questions: Mapping[int, RecordDict]) -> dict[int, RecordDict]:
        """Send questions to SuperNodes; give what those answer that do."""
        messages = [
            self._grid.create_message(question, QUERY, node, "", self._patience)
            for node, question in questions.items()
        ]
        replies = self._grid.send_and_receive(messages, timeout=self._patience)
        return {one.metadata.src_node_id: one.content for one in replies if not one.has_error()}


class Remote:
    """A hospital, asked over the network."""

    def __init__(self, name: str, nodes: Nodes) -> None:
        self._name, self._nodes = name, nodes

    def counts(self) -> Counts:
        """Ask for its counts."""
        said = self._ask("counts")["said"]
        return Counts(int(said["n_patients"]), int(said["n_events"]))

    def learn(self, task: Task) -> Floats:
        """Ask for weights."""
        return arrays_in(self._ask("learn", task))[0]

    def information(self, task: Task) -> Floats:
        """Ask for the mean for the calibration's interval."""
        return arrays_in(self._ask("information", task))[0]

    def receipt(self, weights: Floats) -> Receipt:
        """Ask for a receipt of these weights."""
        question = asking("receipt")
        question["weights"] = ArrayRecord([weights])
        said = self._nodes.ask(self._name, question)["said"]
        return Receipt(**{name: said[name] for name in said})

    def _ask(self, question: str, task: Task | None = None) -> RecordDict:
        asked = asking(question) if task is None else asking(question, **about(task))
        if task is not None:
            asked["weights"] = ArrayRecord(arrays_of(task))
        return self._nodes.ask(self._name, asked)


def asking(question: str, **more: str | int) -> RecordDict:
    """Write a question down."""
    return RecordDict({"asked": ConfigRecord({"question": question, **more})})


def saying(**values: str | float) -> RecordDict:
    """Write an answer of names and counts down."""
    return RecordDict({"said": ConfigRecord(dict(values))})


def about(task: Task) -> dict[str, str | int]:
    """Give of a task what is no array."""
    everyone = task.everyone
    return {
        "phase": task.phase, "round": task.round,
        "n_patients": everyone.n_patients, "n_events": everyone.n_events,
    }  # fmt: skip


def arrays_of(task: Task) -> list[Floats]:
    """Give a task's arrays."""
    return [task.weights] if task.head is None else [task.weights, task.head]


def task_of(plain: Mapping[str, Any], arrays: Sequence[Floats]) -> Task:
    """Put a task together again, of what `about` and `arrays_of` gave."""
    return Task(
        plain["phase"], int(plain["round"]), arrays[0],
        Counts(int(plain["n_patients"]), int(plain["n_events"])),
        arrays[1] if len(arrays) > 1 else None,
    )  # fmt: skip


def arrays_in(content: RecordDict) -> list[Floats]:
    """Read the arrays of a message."""
    return [np.asarray(one, np.float64) for one in content["weights"].to_numpy_ndarrays()]


def task_in(content: RecordDict) -> Task:
    """Read the task of a message."""
    return task_of(content["asked"], arrays_in(content))

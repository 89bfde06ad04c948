"""Flower's transport: the same rounds, hospitals as SuperNodes, the coordinator as ServerApp.

Telemetry is off before anything of Flower's is imported. A hospital's folder holds what it answers
from; a message makes a process that reads it, answers, and ends. Which SuperNode is which hospital
is proved by the hospital's own key: it signs a number that was drawn for the occasion.
"""

from __future__ import annotations

import os

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from numpy.typing import NDArray

from hemocast.errors import PeerRefused
from hemocast.federate.keys import is_signed, read_key
from hemocast.federate.plan import SignedPlan
from hemocast.federate.receipt import Receipt
from hemocast.federate.run import Federated, federate
from hemocast.federate.site import Counts, Findings, Site, Task
from hemocast.files import append_line, write_json, write_text

Floats = NDArray[np.float64]
PLAN, COORDINATOR, KEY, FINDINGS = "plan.json", "coordinator.pub", "site.key", "findings.npz"
ANSWERED, RESULT, STATE = "answered.txt", "result.json", "state.json"
QUERY = "query"

client = ClientApp()
server = ServerApp()


@client.query()  # type: ignore[untyped-decorator]
def answer(message: Message, context: Context) -> Message:
    """Answer the coordinator from the folder that the SuperNode was started with."""
    folder = Path(str(context.node_config["folder"]))
    site = read_site(folder, str(context.node_config["site"]))
    before = len(site.answered)
    said = answer_of(site, message.content)
    for line in site.answered[before:]:
        append_line(folder / ANSWERED, line)
    return Message(content=said, reply_to=message)


@server.main()  # type: ignore[untyped-decorator]
def coordinate(grid: Grid, context: Context) -> None:
    """Wait for the hospitals of the plan, let them learn, and keep what came of it."""
    folder = Path(str(context.run_config["folder"]))
    signed = _read_plan(folder)
    nodes = Nodes(grid, signed, float(str(context.run_config["patience"])))
    nodes.wait()
    sites = {name: Remote(name, nodes) for name in signed.plan.sites}
    write_json(folder / RESULT, record_of(federate(signed, sites, folder / STATE)))


def read_site(folder: Path, name: str) -> Site:
    """Read a hospital from its folder; its plan must be as the coordinator signed it."""
    with np.load(folder / FINDINGS, allow_pickle=False) as kept:
        findings = Findings(kept["values"], kept["label"], kept["patient"].astype(object))
    site = Site(name, findings, _read_plan(folder), read_key(folder / KEY))
    if (folder / ANSWERED).is_file():
        site.answered.extend((folder / ANSWERED).read_text(encoding="ascii").split())
    return site


def _read_plan(folder: Path) -> SignedPlan:
    public = (folder / COORDINATOR).read_text(encoding="ascii").strip()
    return SignedPlan.parse((folder / PLAN).read_text(encoding="utf-8"), public)


def answer_of(site: Site, asked: RecordDict) -> RecordDict:
    """Give one of the five answers there are."""
    question = str(asked["asked"]["question"])
    if question == "who":
        nonce = bytes.fromhex(str(asked["asked"]["nonce"]))
        return _said(site=site.name, signature=site.key.sign(nonce).hex())
    if question == "counts":
        return _said(**asdict(site.counts()))
    if question == "receipt":
        return _said(**asdict(site.receipt(_arrays(asked)[0])))
    task = _task(asked)
    weights = site.learn(task) if question == "learn" else site.information(task)
    return RecordDict({"weights": ArrayRecord([weights])})


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
        asked = {node: _asked("who", nonce=nonce.hex()) for node, nonce in nonces.items()}
        for node, answer in self._send(asked).items():
            said = answer["said"]
            name, signature = str(said["site"]), str(said["signature"])
            if is_signed(nonces[node], signature, self._signed.plan.sites.get(name, "")):
                self._known[node] = name

    def ask(self, name: str, question: RecordDict) -> RecordDict:
        """Ask a hospital; one that restarted has another SuperNode, which is met first.

        Raises
        ------
        PeerRefused
            It is away, or says that it cannot.
        """
        with self._meeting:
            self.meet()
        # The latest: of an earlier one nothing may have been told yet.
        node = next((one for one, site in reversed(self._known.items()) if site == name), None)
        if node is None:
            raise PeerRefused("A hospital is away", "its SuperNode", "Start it again")
        if (said := self._send({node: question}).get(node)) is None:
            raise PeerRefused("A hospital gave no answer", "one within the patience", "See its log")
        return said

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
        return _weights(self._ask("learn", task))

    def information(self, task: Task) -> Floats:
        """Ask for the sum for the calibration's interval."""
        return _weights(self._ask("information", task))

    def receipt(self, weights: Floats) -> Receipt:
        """Ask for a receipt of these weights."""
        question = _asked("receipt")
        question["weights"] = ArrayRecord([weights])
        said = self._nodes.ask(self._name, question)["said"]
        return Receipt(**{name: said[name] for name in said})

    def _ask(self, question: str, task: Task | None = None) -> RecordDict:
        asked = _asked(question)
        if task is not None:
            asked = _asked(
                question, phase=task.phase, round=task.round,
                n_patients=task.everyone.n_patients, n_events=task.everyone.n_events,
            )  # fmt: skip
            arrays = [task.weights] if task.head is None else [task.weights, task.head]
            asked["weights"] = ArrayRecord(arrays)
        return self._nodes.ask(self._name, asked)


def write_app(folder: Path) -> None:
    """Write the folder that ``flwr run`` takes: it names what is here, without code of its own.

    Parameters
    ----------
    folder : Path
        New.
    """
    (folder / "federation").mkdir(parents=True)
    write_text(folder / "federation" / "__init__.py", "")
    write_text(folder / "federation" / "parts.py", _PARTS)
    write_text(folder / "pyproject.toml", _APP)


_PARTS = """\
from hemocast.federate import flower

client = flower.client
server = flower.server
"""
_APP = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hemocast-federation"
version = "1.0.0"
description = "Several hospitals, one model"
license = "Apache-2.0"
dependencies = []

[tool.flwr.app]
publisher = "hemocast"

[tool.flwr.app.components]
serverapp = "federation.parts:server"
clientapp = "federation.parts:client"

[tool.flwr.app.config]
folder = ""
patience = 60.0
"""


def record_of(found: Federated) -> dict[str, Any]:
    """Return what came of it, for a JSON file."""
    return {
        "schema_version": 1,
        "weight": found.weight.tolist(),
        "bias": found.bias,
        "calibration": asdict(found.calibration),
        "receipts": [asdict(one) for one in found.receipts],
        "took_part": [list(one) for one in found.took_part],
    }


def _asked(question: str, **more: str | int) -> RecordDict:
    return RecordDict({"asked": ConfigRecord({"question": question, **more})})


def _said(**values: str | int) -> RecordDict:
    return RecordDict({"said": ConfigRecord(dict(values))})


def _arrays(content: RecordDict) -> list[Floats]:
    return [np.asarray(one, np.float64) for one in content["weights"].to_numpy_ndarrays()]


def _weights(content: RecordDict) -> Floats:
    return _arrays(content)[0]


def _task(asked: RecordDict) -> Task:
    about, arrays = asked["asked"], _arrays(asked)
    return Task(
        about["phase"], int(about["round"]), arrays[0],
        Counts(int(about["n_patients"]), int(about["n_events"])),
        arrays[1] if len(arrays) > 1 else None,
    )  # fmt: skip

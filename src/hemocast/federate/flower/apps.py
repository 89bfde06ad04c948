"""The two programs: a hospital that answers from its folder, a coordinator that asks.

A hospital's folder holds what it answers from; a message makes a process that reads it, answers,
and ends.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, Message, RecordDict
from flwr.client.mod import secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from hemocast.errors import NotAgreed
from hemocast.federate.flower.nodes import Nodes, Remote, arrays_in, saying, task_in
from hemocast.federate.flower.secagg import (
    Masked,
    masked_task,
    refuse_other,
    sign_keys,
    unmasked_answer,
)
from hemocast.federate.keys import read_key
from hemocast.federate.plan import SignedPlan
from hemocast.federate.run import Federated, federate
from hemocast.federate.site import Findings, Site
from hemocast.files import append_line, write_json

PLAN, COORDINATOR, KEY, FINDINGS = "plan.json", "coordinator.pub", "site.key", "findings.npz"
ANSWERED, RESULT, STATE = "answered.txt", "result.json", "state.json"

client = ClientApp()
server = ServerApp()


@client.query()  # type: ignore[untyped-decorator]
def answer(message: Message, context: Context) -> Message:
    """Answer the coordinator from the folder that the SuperNode was started with."""
    site = _site(context)
    before = len(site.answered)
    content = answer_of(site, message.content)
    _note(context, site, before)
    return Message(content=content, reply_to=message)


def agreed(message: Message, context: Context, go_on: Any) -> Message:
    """Refuse a step of secure aggregation that is not as agreed; sign the keys that leave."""
    site, run = _site(context), message.metadata.run_id
    refuse_other(message.content, site, run)
    reply = go_on(message, context)
    sign_keys(reply.content, site, run)
    return reply


@client.train(mods=[agreed, secaggplus_mod])  # type: ignore[untyped-decorator]
def answer_masked(message: Message, context: Context) -> Message:
    """Compute what is asked; Flower's mod masks it before it leaves."""
    site = _site(context)
    before = len(site.answered)
    question, task = masked_task(message.content)
    content = unmasked_answer(site, question, task)
    _note(context, site, before)
    return Message(content=content, reply_to=message)


@server.main()  # type: ignore[untyped-decorator]
def coordinate(grid: Grid, context: Context) -> None:
    """Wait for the hospitals of the plan, let them learn, and keep what came of it."""
    folder = Path(str(context.run_config["folder"]))
    signed = _read_plan(folder)
    patience = float(str(context.run_config["patience"]))
    nodes = Nodes(grid, signed, patience)
    nodes.wait()
    sites = {name: Remote(name, nodes) for name in signed.plan.sites}
    masked = Masked(nodes, grid, context, patience) if signed.plan.secure_aggregation else None
    write_json(folder / RESULT, record_of(federate(signed, sites, folder / STATE, masked)))


def read_site(folder: Path, name: str) -> Site:
    """Read a hospital from its folder; its plan must be as the coordinator signed it."""
    with np.load(folder / FINDINGS, allow_pickle=False) as kept:
        findings = Findings(kept["values"], kept["label"], kept["patient"].astype(object))
    site = Site(name, findings, _read_plan(folder), read_key(folder / KEY))
    if (folder / ANSWERED).is_file():
        site.answered.extend((folder / ANSWERED).read_text(encoding="ascii").split())
    return site


def answer_of(site: Site, asked: RecordDict) -> RecordDict:
    """Give one of the five answers there are; under secure aggregation weights only masked.

    Raises
    ------
    NotAgreed
        Weights are asked for openly, and the plan says that they leave masked.
    """
    question = str(asked["asked"]["question"])
    if question == "who":
        nonce = bytes.fromhex(str(asked["asked"]["nonce"]))
        return saying(site=site.name, signature=site.key.sign(nonce).hex())
    if question == "counts":
        return saying(**asdict(site.counts()))
    if question == "receipt":
        receipt = asdict(site.receipt(arrays_in(asked)[0]))
        return saying(**{name: one for name, one in receipt.items() if one is not None})
    if site.signed.plan.secure_aggregation:
        raise NotAgreed(
            "Weights are asked for openly", "masked, as the plan says", "Ask the coordinator"
        )
    task = task_in(asked)
    weights = site.learn(task) if question == "learn" else site.information(task)
    return RecordDict({"weights": ArrayRecord([weights])})


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


def _site(context: Context) -> Site:
    name = str(context.node_config["site"])
    return read_site(Path(str(context.node_config["folder"])), name)


def _note(context: Context, site: Site, before: int) -> None:
    """Keep in the hospital's folder what it has just answered."""
    for line in site.answered[before:]:
        append_line(Path(str(context.node_config["folder"])) / ANSWERED, line)


def _read_plan(folder: Path) -> SignedPlan:
    public = (folder / COORDINATOR).read_text(encoding="ascii").strip()
    return SignedPlan.parse((folder / PLAN).read_text(encoding="utf-8"), public)

"""The two programs: a hospital that answers from its folder, a coordinator that asks.

A hospital's folder holds what it answers from; a message makes a process that reads it, answers,
and ends.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

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
from hemocast.federate.folder import ANSWERED, STATE, read_plan, read_site, write_result
from hemocast.federate.run import federate
from hemocast.federate.site import Site
from hemocast.files import append_line

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
    signed = read_plan(folder)
    patience = float(str(context.run_config["patience"]))
    nodes = Nodes(grid, signed, patience)
    nodes.wait()
    sites = {name: Remote(name, nodes) for name in signed.plan.sites}
    masked = Masked(nodes, grid, context, patience) if signed.plan.secure_aggregation else None
    write_result(folder, federate(signed, sites, folder / STATE, masked))


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


def _site(context: Context) -> Site:
    name = str(context.node_config["site"])
    return read_site(Path(str(context.node_config["folder"])), name)


def _note(context: Context, site: Site, before: int) -> None:
    """Keep in the hospital's folder what it has just answered."""
    for line in site.answered[before:]:
        append_line(Path(str(context.node_config["folder"])) / ANSWERED, line)

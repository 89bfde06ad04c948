"""Flower's messages without Flower's processes: a grid that calls the hospital's program itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flwr.app import Context, Error, Message, RecordDict
from flwr.supercore.task_identity import TaskIdentity

from hemocast.federate import Plan, SignedPlan, sign_plan
from hemocast.federate.flower.apps import client
from hemocast.federate.folder import COORDINATOR, FINDINGS, KEY, PLAN
from hemocast.federate.keys import make_key, public_of

SITES = {"university": 120, "city": 90, "county": 60, "rural": 40}


def hospitals(place: Path, **changes: object) -> SignedPlan:
    """Make a folder each for the coordinator and four hospitals, as they would have them."""
    coordinator = Ed25519PrivateKey.generate()
    folders = {name: place / name for name in SITES}
    for folder in (*folders.values(), place / "server"):
        folder.mkdir()
    keys = {name: make_key(folder / KEY) for name, folder in folders.items()}
    plain = {
        "name": "ht", "horizon": "HT", "population": "made-up patients", "encoder": "0" * 64,
        "middle": (0.0,) * 4, "spread": (1.0,) * 4, "rounds": 4, "local_steps": 40,
        "least_sites": 3, "sites": {name: public_of(key) for name, key in keys.items()},
    }  # fmt: skip
    signed = sign_plan(Plan.model_validate(plain | changes), coordinator)
    for folder in (*folders.values(), place / "server"):
        (folder / PLAN).write_text(signed.to_json())
        (folder / COORDINATOR).write_text(public_of(coordinator))
    for number, (name, folder) in enumerate(folders.items()):
        rng = np.random.default_rng(number)
        values = rng.normal(0, 1, (SITES[name], 4))
        chance = 1 / (1 + np.exp(-(values @ [1.2, -0.8, 0, 0.4] - 0.8)))
        np.savez(
            folder / FINDINGS, values=values,
            label=(rng.random(len(values)) < chance).astype(np.int64),
            patient=np.array([f"sub-SECRET-{name}-{k}" for k in range(len(values))]),
        )  # fmt: skip
    return signed


def context_of(**node_config: str) -> Context:
    """A context, as Flower would give it."""
    return Context(1, 0, node_config, RecordDict(), {})  # type: ignore[arg-type]


class Grid:
    """A hospital's SuperNode each, in this process; keeps what the coordinator receives.

    `lost` says of a message whether it gets no answer: its node's name and the message.
    """

    def __init__(self, place: Path) -> None:
        TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 1, 1
        self.received: list[Message] = []
        self.lost: Callable[[str, Message], bool] = lambda name, message: False
        self.away: set[str] = set()
        self.names = dict(enumerate(SITES, 1001))
        self._contexts = {
            node: context_of(folder=str(place / name), site=name)
            for node, name in self.names.items()
        }

    def get_node_ids(self) -> list[int]:
        """Those that are there."""
        return [node for node, name in self.names.items() if name not in self.away]

    def create_message(
        self, content: RecordDict, kind: str, node: int, group: str, ttl: float
    ) -> Message:
        """Make a message."""
        return Message(content, node, kind, ttl=ttl, group_id=group)

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        """Let each hospital answer."""
        replies = [self._reply(one) for one in messages]
        self.received += [one for one in replies if not one.has_error()]
        return replies

    def _reply(self, message: Message) -> Message:
        node = message.metadata.dst_node_id
        if self.lost(self.names[node], message):
            return Message(Error(0, "lost"), reply_to=message)
        try:
            return client(deepcopy(message), self._contexts[node])
        except Exception as error:
            return Message(Error(0, str(error)), reply_to=message)

"""The mean of all hospitals' weights, without anyone's: Flower's SecAgg+, under the signed plan.

SecAgg+ is Bell et al. 2020, 10.1145/3372297.3417885, after Bonawitz et al. 2017,
10.1145/3133956.3133982: each pair of hospitals agrees on a mask that one adds and the other takes
away, so that the masks are gone from the sum and only from it. It holds against a coordinator who
is curious; not against one who repeats a round without a hospital to take the difference.

Three things of Flower's are not taken as they are. Its masks are drawn from 32 bits of the seed by
a generator that is no cipher (Flower's issue 7522): here they are drawn from the whole seed by
SHAKE-256. A hospital signs the keys that it makes for a round, and takes others' only with the
signatures of hospitals of the plan, so that a coordinator cannot hand it keys of its own. And it
refuses settings other than the plan's, and to help unmask a hospital that it also helps to count as
gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.common import Code, FitIns, FitRes, Parameters, Status
from flwr.common import ndarrays_to_parameters as packed
from flwr.common import parameters_to_ndarrays as unpacked
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage
from flwr.compat.common import recorddict_compat
from flwr.server import LegacyContext
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.serverapp import Grid
from numpy.typing import NDArray

from hemocast.errors import NotAgreed, PeerRefused
from hemocast.federate.flower.nodes import Nodes, about, arrays_of, task_of
from hemocast.federate.keys import is_signed
from hemocast.federate.plan import Plan
from hemocast.federate.run import Question
from hemocast.federate.site import Counts, Site, Task

Floats = NDArray[np.float64]
RANGE, LEVELS, MODULUS = 16.0, 2**22, 2**32
"""Weights are cut to -RANGE to RANGE and rounded at random to LEVELS steps; sums are of MODULUS."""
TRIES = 3


def masks(seed: bytes, modulus: int, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.int64]]:
    """Draw masks from a whole seed, for `MODULUS`.

    Parameters
    ----------
    seed : bytes
    modulus : int
        2 ** 32.
    shapes : sequence of tuple of int

    Raises
    ------
    NotAgreed
        Another modulus.
    """
    if modulus != MODULUS:
        raise NotAgreed(f"Masks are asked for of {modulus}", f"{MODULUS}", "Update Hemocast")
    sizes = [int(np.prod(shape)) for shape in shapes]
    stream = np.frombuffer(hashlib.shake_256(seed).digest(4 * sum(sizes)), "<u4").astype(np.int64)
    parts = np.split(stream, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _take_these_masks() -> None:
    """Put `masks` in the place of Flower's; refuse a Flower that draws them elsewhere."""
    for name in (
        "flwr.client.mod.secure_aggregation.secaggplus_mod",
        "flwr.server.workflow.secure_aggregation.secaggplus_workflow",
    ):
        flower = vars(import_module(name))  # by name: its package gives a function that name
        if "pseudo_rand_gen" not in flower:
            raise NotAgreed("This Flower draws masks otherwise", "Flower 1.42", "Install it")
        flower["pseudo_rand_gen"] = masks


_take_these_masks()
SIGNED = "hemocast.signed"
"""Name of the record with signatures of keys."""


class Masked:
    """The coordinator's side: means, of hospitals that it cannot tell apart.

    Parameters
    ----------
    nodes : Nodes
    grid : Grid
        Flower's.
    context : Context
        Of the ServerApp.
    patience : float
        Seconds for each of the four steps.
    """

    def __init__(self, nodes: Nodes, grid: Grid, context: Context, patience: float) -> None:
        self._nodes, self._grid, self._context = nodes, grid, context
        self._patience = patience

    def mean(
        self, question: Question, task: Task, counts: Mapping[str, Counts], least: int
    ) -> tuple[Floats, tuple[str, ...]]:
        """Ask for a mean, weighed by patients; begin again where a hospital left too early.

        Flower's protocol goes on without a hospital that leaves when keys are shared, and not
        without one that leaves before.

        Raises
        ------
        PeerRefused
            Too few hospitals are there, or the protocol was broken off `TRIES` times.
        """
        for _ in range(TRIES):
            there = {node: name for name, node in self._nodes.there().items() if name in counts}
            if len(there) < least:
                break
            once = _Once(question, task, tuple(there))
            self._run(once, least, max(counts[name].n_patients for name in there.values()))
            if once.mean is not None:
                return once.mean, tuple(sorted(there[node] for node in once.answered))
        raise PeerRefused(
            f"No mean was had of {len(there)} hospitals that are there",
            f"at least {least} that stay through a round, as the plan says",
            "Start again when they are back: finished rounds are kept",
        )

    def _run(self, once: _Once, least: int, most: int) -> None:
        """Go through the four steps."""
        state = self._context.state
        state.config_records["config"] = ConfigRecord({"current_round": once.task.round})
        state.array_records["parameters"] = ArrayRecord(arrays_of(once.task))
        workflow = SecAggPlusWorkflow(
            1.0, least, max_weight=float(most), clipping_range=RANGE, quantization_range=LEVELS,
            modulus_range=MODULUS, timeout=self._patience,
        )  # fmt: skip
        grid = cast("Grid", _Signatures(self._grid))
        workflow(grid, LegacyContext(self._context, strategy=once))


class _Signatures:
    """A grid that carries the signatures of keys along with the keys, as Flower does not."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._kept: dict[str, str] = {}

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        """Keep the signatures that come, and add them to the keys that go."""
        sent = list(messages)
        for one in sent:
            if one.content.config_records[RECORD_KEY_CONFIGS][Key.STAGE] == Stage.SHARE_KEYS:
                one.content.config_records[SIGNED] = ConfigRecord(dict(self._kept))
        replies = list(self._grid.send_and_receive(sent, timeout=timeout))
        for one in replies:
            if not one.has_error() and SIGNED in one.content.config_records:
                signed = one.content.config_records[SIGNED]
                self._kept[str(one.metadata.src_node_id)] = str(signed["own"])
        return replies


@dataclass(frozen=True)
class _Proxy:
    """What Flower's workflow needs of a hospital."""

    node_id: int


class _Once:
    """One mean, as Flower's workflow takes its strategy."""

    def __init__(self, question: Question, task: Task, nodes: tuple[int, ...]) -> None:
        self._question, self.task, self._nodes = question, task, nodes
        self.mean: Floats | None = None
        self.answered: tuple[int, ...] = ()

    def configure_fit(
        self, server_round: int, parameters: Parameters, client_manager: object
    ) -> list[tuple[_Proxy, FitIns]]:
        """Ask all the same."""
        asked = FitIns(parameters, {"question": self._question, **about(self.task)})
        return [(_Proxy(node), asked) for node in self._nodes]

    def aggregate_fit(
        self, server_round: int, results: list[tuple[_Proxy, FitRes]], failures: object
    ) -> tuple[None, dict[str, float]]:
        """Keep the mean, which Flower puts in the place of every hospital's answer."""
        self.mean = np.asarray(unpacked(results[0][1].parameters)[0], np.float64)
        self.answered = tuple(proxy.node_id for proxy, _ in results)
        return None, {}


def refuse_other(content: RecordDict, site: Site, run: int) -> None:
    """Refuse, as a hospital, a step that is not as the plan has it.

    Parameters
    ----------
    content : RecordDict
        Of the coordinator's message.
    site : Site
    run : int
        Flower's number of the training.

    Raises
    ------
    NotAgreed
        The plan knows of no secure aggregation; its settings are others; a key is not signed by a
        hospital of the plan; or secrets are asked for that would unmask a hospital.
    """
    asked: Mapping[str, Any] = content.config_records[RECORD_KEY_CONFIGS]
    plan, good = site.signed.plan, site.signed.plan.secure_aggregation
    if asked[Key.STAGE] == Stage.SETUP:
        good &= (
            asked[Key.SAMPLE_NUMBER] >= plan.least_sites
            and asked[Key.SHARE_NUMBER] == asked[Key.SAMPLE_NUMBER]
            and asked[Key.THRESHOLD] == plan.least_sites
            and asked[Key.CLIPPING_RANGE] == RANGE
            and asked[Key.TARGET_RANGE] == LEVELS
            and asked[Key.MOD_RANGE] == MODULUS
            and asked[Key.MAX_WEIGHT] >= site.counts().n_patients
        )
    if asked[Key.STAGE] == Stage.SHARE_KEYS:
        good &= _all_signed(asked, content.config_records.get(SIGNED, {}), plan, run)
    if asked[Key.STAGE] == Stage.UNMASK:
        good &= not set(asked[Key.ACTIVE_NODE_ID_LIST]) & set(asked[Key.DEAD_NODE_ID_LIST])
    if not good:
        raise NotAgreed(
            "A step of secure aggregation is not as the plan has it",
            "its hospitals, their signed keys, its ranges, and nobody both there and gone",
            "Ask the coordinator",
        )


def _all_signed(asked: Mapping[str, Any], signed: Mapping[str, Any], plan: Plan, run: int) -> bool:
    """Whether each node's keys are signed by another hospital of the plan."""
    names = []
    for node in asked.keys() - {Key.STAGE}:
        name, _, signature = str(signed.get(node, "")).rpartition(" ")
        if not is_signed(_keys(asked[node], run), signature, plan.sites.get(name, "")):
            return False
        names.append(name)
    return len(set(names)) == len(names)


def sign_keys(content: RecordDict, site: Site, run: int) -> None:
    """Sign, as a hospital, the keys that it has made for a round; other steps stay as they are."""
    made: Mapping[str, Any] = content.config_records[RECORD_KEY_CONFIGS]
    if Key.PUBLIC_KEY_1 in made:
        keys = _keys([made[Key.PUBLIC_KEY_1], made[Key.PUBLIC_KEY_2]], run)
        own = f"{site.name} {site.key.sign(keys).hex()}"
        content.config_records[SIGNED] = ConfigRecord({"own": own})


def _keys(pair: Sequence[bytes], run: int) -> bytes:
    return b"keys of secure aggregation in run %d " % run + pair[0] + pair[1]


def masked_task(content: RecordDict) -> tuple[Question, Task]:
    """Read what Flower's workflow asks for."""
    asked = recorddict_compat.recorddict_to_fitins(content, keep_input=True)
    arrays = [np.asarray(one, np.float64) for one in unpacked(asked.parameters)]
    return cast("Question", asked.config["question"]), task_of(asked.config, arrays)


def unmasked_answer(site: Site, question: Question, task: Task) -> RecordDict:
    """Compute an answer, for Flower's mod to mask.

    Raises
    ------
    NotAgreed
        A weight is beyond `RANGE` and would be cut without a word.
    """
    weights = site.learn(task) if question == "learn" else site.information(task)
    if np.abs(weights).max() > RANGE:
        raise NotAgreed(
            f"A weight is {np.abs(weights).max():.0f}", f"at most {RANGE:.0f}", "Scale the findings"
        )
    found = FitRes(Status(Code.OK, ""), packed([weights]), site.counts().n_patients, {})
    return recorddict_compat.fitres_to_recorddict(found, keep_input=False)

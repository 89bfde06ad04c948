"""The coordinator learns the mean of what hospitals found, and not what one of them found.

Needs Flower: `make federate`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed: make federate")

from flwr.app import ConfigRecord, Message, RecordDict
from flwr.common import bytes_to_ndarray
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage
from tests.federate.conftest import hospitals_of
from tests.federate.flower.memory import SITES, Grid, context_of, hospitals

from hemocast.errors import NotAgreed, PeerRefused
from hemocast.federate import Federated, SignedPlan, federate
from hemocast.federate.flower.apps import answer_of
from hemocast.federate.flower.nodes import Nodes, Remote, about, asking
from hemocast.federate.flower.secagg import (
    LEVELS,
    MODULUS,
    RANGE,
    SIGNED,
    Masked,
    masks,
    refuse_other,
)
from hemocast.federate.folder import ANSWERED, read_site
from hemocast.federate.site import Counts, Task

TOLERANCE = 2e-5
"""Largest difference in a weight that rounding makes, in all rounds together."""


def learn(place: Path, signed: SignedPlan, grid: Grid) -> Federated:
    """Train as the coordinator's program does."""
    nodes = Nodes(grid, signed, 5.0)
    nodes.wait()
    sites = {name: Remote(name, nodes) for name in SITES}
    return federate(signed, sites, None, Masked(nodes, grid, context_of(), 5.0))


def stage(message: Message) -> str:
    """Which step of secure aggregation a message asks for; "" for other questions."""
    if RECORD_KEY_CONFIGS not in message.content.config_records:
        return ""
    return str(message.content.config_records[RECORD_KEY_CONFIGS].get(Key.STAGE, ""))


def openly(place: Path, signed: SignedPlan) -> Federated:
    """The same without masks, in one process."""
    return federate(signed, {name: read_site(place / name, name) for name in SITES})


def test_the_mean_is_that_of_the_weights_in_the_clear(tmp_path: Path) -> None:
    signed = hospitals(tmp_path, secure_aggregation=True)
    grid = Grid(tmp_path)
    found, here = learn(tmp_path, signed, grid), openly(tmp_path, signed)
    assert 0 < np.abs(found.head - here.head).max() < TOLERANCE
    assert found.calibration.slope == pytest.approx(here.calibration.slope, abs=TOLERANCE)
    np.testing.assert_allclose(found.calibration.covariance, here.calibration.covariance, rtol=1e-3)
    assert found.took_part == ((*sorted(SITES),),) * 8


def test_nothing_that_the_coordinator_receives_is_a_hospitals_weights(tmp_path: Path) -> None:
    signed = hospitals(tmp_path, secure_aggregation=True, rounds=1)
    grid = Grid(tmp_path)
    found = learn(tmp_path, signed, grid)
    everyone = Counts(sum(SITES.values()), 0)
    task = Task("head", 1, np.zeros((6, 5)), everyone)
    vectors = {}
    for message in grid.received:
        assert all(not len(arrays) for arrays in message.content.array_records.values())
        if packed := message.content.config_records.get(RECORD_KEY_CONFIGS, {}).get(
            Key.MASKED_PARAMETERS
        ):
            name = grid.names[message.metadata.src_node_id]
            vectors.setdefault(name, [bytes_to_ndarray(one) for one in packed])
    assert set(vectors) == set(SITES)
    for name, (_, masked) in vectors.items():
        clear = read_site(tmp_path / name, name).learn(task)
        # Unmasked, this would lie within one step of rounding; a mask spreads it over all of it.
        share = SITES[name] / max(SITES.values())
        steps = (np.clip(clear * share, -RANGE, RANGE) + RANGE) * LEVELS / (2 * RANGE)
        apart = np.abs(masked - steps) / MODULUS
        assert masked.shape == clear.shape
        assert np.median(apart) > 0.15
        assert not any(row.tobytes() in masked.tobytes() for row in clear)
    assert np.abs(found.head).max() > 0.1


@pytest.mark.parametrize("when", [Stage.SETUP, Stage.SHARE_KEYS, Stage.COLLECT_MASKED_VECTORS])
def test_a_hospital_that_leaves_in_a_round_costs_only_its_own_part(
    tmp_path: Path, when: str
) -> None:
    signed = hospitals(tmp_path, secure_aggregation=True, rounds=1)
    grid = Grid(tmp_path)

    def lost(name: str, message: Message) -> bool:
        if name == "rural" and (name in grid.away or stage(message) == when):
            grid.away.add("rural")
            return True
        return False

    grid.lost = lost
    sites = {name: read_site(tmp_path / name, name) for name in SITES}
    nodes = Nodes(grid, signed, 5.0)
    nodes.wait()
    counts = {name: site.counts() for name, site in sites.items()}
    task = Task("head", 1, np.zeros((6, 5)), Counts(310, 100))
    mean, answered = Masked(nodes, grid, context_of(), 5.0).mean("learn", task, counts, 3)
    assert answered == ("city", "county", "university")
    weights = [counts[name].n_patients for name in answered]
    expected = np.average([sites[name].learn(task) for name in answered], 0, weights)
    np.testing.assert_allclose(mean, expected, atol=TOLERANCE)


def test_with_fewer_hospitals_than_the_plan_needs_there_is_no_mean(tmp_path: Path) -> None:
    signed = hospitals(tmp_path, secure_aggregation=True, rounds=1)
    grid = Grid(tmp_path)
    grid.lost = lambda name, message: name in ("rural", "city") and bool(stage(message))
    with pytest.raises(PeerRefused, match="at least 3"):
        learn(tmp_path, signed, grid)


def test_a_hospital_gives_no_weights_in_the_clear_under_such_a_plan(tmp_path: Path) -> None:
    hospitals(tmp_path, secure_aggregation=True)
    site = read_site(tmp_path / "city", "city")
    with pytest.raises(NotAgreed, match="openly"):
        answer_of(site, asking("learn", **about(Task("head", 1, np.zeros((6, 5)), site.counts()))))


@pytest.mark.parametrize(
    "wrong",
    [
        {Key.THRESHOLD: 2}, {Key.SAMPLE_NUMBER: 2, Key.SHARE_NUMBER: 2}, {Key.MAX_WEIGHT: 10.0},
        {Key.CLIPPING_RANGE: 1e6},
        {Key.STAGE: Stage.UNMASK, Key.ACTIVE_NODE_ID_LIST: [1, 2], Key.DEAD_NODE_ID_LIST: [2]},
    ],
)  # fmt: skip
def test_a_hospital_refuses_other_settings_than_the_plan_has(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    hospitals(tmp_path, secure_aggregation=True)
    usual = {
        Key.STAGE: Stage.SETUP, Key.SAMPLE_NUMBER: 4, Key.SHARE_NUMBER: 4, Key.THRESHOLD: 3,
        Key.CLIPPING_RANGE: RANGE, Key.TARGET_RANGE: LEVELS, Key.MOD_RANGE: MODULUS,
        Key.MAX_WEIGHT: 120.0,
    }  # fmt: skip

    def content(**settings: object) -> RecordDict:
        return RecordDict({RECORD_KEY_CONFIGS: ConfigRecord(usual | settings)})

    site = read_site(tmp_path / "city", "city")
    refuse_other(content(), site, 1)
    with pytest.raises(NotAgreed):
        refuse_other(content(**wrong), site, 1)
    openly = hospitals_of().sites["city"]
    with pytest.raises(NotAgreed):
        refuse_other(content(), openly, 1)


@pytest.mark.parametrize("trick", ["own key", "one hospital twice", "no signature"])
def test_a_hospital_takes_no_keys_that_hospitals_of_the_plan_did_not_sign(
    tmp_path: Path, trick: str
) -> None:
    signed = hospitals(tmp_path, secure_aggregation=True, rounds=1)
    grid = Grid(tmp_path)
    shares = []

    def tamper(name: str, message: Message) -> bool:
        """The coordinator changes what it hands to hospitals."""
        if stage(message) == Stage.SHARE_KEYS:
            shares.append(name)
            keys = message.content.config_records[RECORD_KEY_CONFIGS]
            signatures = message.content.config_records[SIGNED]
            one, other = (str(node) for node in list(grid.names)[:2])
            if trick == "own key":
                keys[one] = [keys[other][0][:-1] + b"x", keys[one][1]]
            elif trick == "one hospital twice":
                keys[one], signatures[one] = keys[other], signatures[other]
            else:
                signatures.pop(one)
        return False

    grid.lost = tamper
    with pytest.raises(PeerRefused):
        learn(tmp_path, signed, grid)
    assert shares
    assert not any((tmp_path / name / ANSWERED).exists() for name in SITES)


def test_masks_are_of_the_whole_seed(tmp_path: Path) -> None:
    # Flower's own generator gives both of these the same mask: it folds a seed to 32 bits.
    one, other = (bytes(32), b"\x01\x00\x00\x00" * 2 + bytes(24))
    (first,), (second,) = (masks(seed, MODULUS, [(1000,)]) for seed in (one, other))
    assert not np.array_equal(first, second)
    assert abs(first.mean() / MODULUS - 0.5) < 0.05
    assert first.min() >= 0
    assert first.max() < MODULUS
    again = masks(one, MODULUS, [(), (10, 99), (9,)])
    np.testing.assert_array_equal(np.concatenate([part.ravel() for part in again]), first)
    with pytest.raises(NotAgreed):
        masks(one, 2**20, [(3,)])

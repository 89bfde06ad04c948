"""Scans like those learned from pass; others are named, with what is unusual."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from hemocast.model.features import FEATURES
from hemocast.model.gate import GATE_FROM, Gate, learn_gate

NAMES = [feature.name for feature in FEATURES]


def scans(n: int, seed: int = 0) -> np.ndarray:
    """Draw measurements that hang together, one of them skewed."""
    rng = np.random.default_rng(seed)
    spread = np.array([5 * feature.floor for feature in FEATURES])
    common = rng.normal(size=(n, 1))
    found = 10 + spread * (0.8 * common + 0.6 * rng.normal(size=(n, len(FEATURES))))
    found[:, NAMES.index("bright_share")] = rng.exponential(0.01, n)
    found[:, NAMES.index("slice_mm")] = np.nan
    return found


@pytest.fixture(scope="module")
def gate() -> Gate:
    learned = learn_gate(scans(500))
    assert learned is not None
    return learned


def test_about_one_in_a_hundred_like_them_is_doubted(gate: Gate) -> None:
    doubted = np.mean([gate.doubt(one) is not None for one in scans(3000, seed=1)])
    assert 0.003 < doubted < 0.025


def test_the_limit_is_kept_with_the_fewest_scans_too() -> None:
    shares = []
    for seed in range(3):
        learned = learn_gate(scans(GATE_FROM, seed))
        assert learned is not None
        fresh = scans(300, seed + 50)
        shares.append(np.mean([learned.doubt(one) is not None for one in fresh]))
    assert np.mean(shares) < 0.025


def test_what_is_unusual_is_named(gate: Gate) -> None:
    odd = scans(1, seed=3)[0]
    odd[NAMES.index("noise_hu")] += 60 * FEATURES[0].floor
    said = gate.doubt(odd)
    assert said is not None
    assert "unlike the scans the model learned from" in said
    assert "mostly in: noise" in said


def test_a_combination_that_never_occurs_is_far_though_each_is_usual(gate: Gate) -> None:
    usual = np.full(len(FEATURES), np.nan)
    spread = np.array([5 * feature.floor for feature in FEATURES])
    usual[:8] = 10 + 1.3 * spread[:8]
    odd = usual.copy()
    odd[:8:2] -= 2.6 * spread[:8:2]
    assert gate.distance(odd) > 1.2 * gate.distance(usual)


def test_what_cannot_be_measured_is_no_doubt_but_nothing_at_all_is(gate: Gate) -> None:
    some = scans(1, seed=4)[0]
    some[3:9] = np.nan
    assert gate.doubt(some) is None
    assert "almost no brain" in str(gate.doubt(np.full(len(FEATURES), np.nan)))
    assert gate.doubt(np.where(np.isnan(some), np.inf, some)) is not None


def test_few_scans_make_no_gate() -> None:
    assert learn_gate(scans(GATE_FROM - 1)) is None


def test_a_measurement_that_was_never_made_is_left_out(gate: Gate) -> None:
    assert "slice_mm" not in gate.features
    assert len(gate.features) == len(FEATURES) - 1


def test_one_that_never_varied_has_the_spread_that_is_known_of_it() -> None:
    same = scans(400)
    same[:, NAMES.index("slice_mm")] = 5.0
    learned = learn_gate(same)
    assert learned is not None
    usual = scans(1, seed=6)[0]
    usual[NAMES.index("slice_mm")] = 5.1
    thin = usual.copy()
    thin[NAMES.index("slice_mm")] = 1.25
    assert learned.doubt(usual) is None
    assert "distance of the slices" in str(learned.doubt(thin))


def test_it_survives_being_written(gate: Gate) -> None:
    adapter = TypeAdapter(Gate)
    assert adapter.validate_json(adapter.dump_json(gate)) == gate


@pytest.mark.parametrize(
    "change",
    [
        {"features": ("noise_hu",)},
        {"precision": ((1.0,),)},
        {"quantiles": ((0.0,) * 7,) * 22},
        {"limit": 0.0},
    ],
)
def test_a_gate_whose_numbers_do_not_fit_is_refused(gate: Gate, change: dict) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Gate).validate_python(asdict(gate) | change)


def test_a_gate_of_unknown_measurements_is_refused(gate: Gate) -> None:
    with pytest.raises(ValueError, match="measurements"):
        replace(gate, features=("other", *gate.features[1:]))


def test_a_gate_of_simulated_scans_lets_pass_what_lies_a_little_apart_in_many_ways() -> None:
    """As an ordinary real head does: two spreads here and one and a half there."""
    spread = np.array([5 * feature.floor for feature in FEATURES])
    real = 10 + spread * np.tile([1.2, -0.8, 0.7, -1.0], 6)[: len(FEATURES)]
    real[NAMES.index("bright_share")] = 0.03
    real[NAMES.index("slice_mm")] = np.nan
    plain, widened = learn_gate(scans(500)), learn_gate(scans(500), simulated=True)
    assert plain is not None
    assert widened is not None
    assert plain.doubt(real) is not None
    assert widened.doubt(real) is None
    assert plain.gap == ()
    assert len(widened.gap) == len(widened.features)
    doubted = [widened.doubt(one) is not None for one in scans(1000, seed=1)]
    assert np.mean(doubted) < 0.01
    noisy = scans(1, seed=3)[0]
    noisy[NAMES.index("noise_hu")] += 60 * FEATURES[0].floor
    assert "mostly in: noise" in str(widened.doubt(noisy))
    adapter = TypeAdapter(Gate)
    assert adapter.validate_json(adapter.dump_json(widened)) == widened


def test_a_gate_written_before_there_was_a_gap_is_still_read(gate: Gate) -> None:
    older = {name: value for name, value in asdict(gate).items() if name != "gap"}
    assert TypeAdapter(Gate).validate_python(older) == gate

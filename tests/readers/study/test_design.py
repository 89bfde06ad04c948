"""The design: own random orders, repeats far apart, balanced arms, nothing that cannot be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hemocast.errors import ConfigError
from hemocast.readers.study.design import (
    Case,
    StudyDesign,
    choose_repeats,
    load_design,
    make_design,
)


def cases(n: int) -> tuple[Case, ...]:
    return tuple(Case(participant_id=f"sub-{i}", scan_id=f"sub-{i}_ses-01") for i in range(n))


def design(n: int = 20, **more: object) -> StudyDesign:
    settings = {"name": "s", "simulated": True, "readers": ("R1", "R2", "R3", "R4")}
    return make_design(**settings | {"cases": cases(n)} | more)


def aid(n: int, **more: object) -> dict[str, object]:
    probabilities = {case.scan_id: 0.5 for case in cases(n)}
    return {
        "name": "m",
        "simulated_training_data": True,
        "probabilities": probabilities,
        "heatmaps": False,
    } | more


@given(st.integers(1, 40), st.floats(0, 0.5), st.integers(0, 99), st.integers(1, 20))
def test_everybody_reads_every_case_and_repeats_come_far_enough_behind(
    n: int, share: float, seed: int, gap: int
) -> None:
    repeats = choose_repeats(cases(n), share, seed)
    gap = max(1, min(gap, n - len(repeats) + 1))
    made = design(n, repeats=repeats, repeat_gap=gap, seed=seed)
    for reader in made.readers:
        shown = made.reading_list(reader)
        assert [p.order for p in shown] == list(range(1, n + len(repeats) + 1))
        first = {p.scan_id: p.order for p in shown if not p.repeat}
        again = {p.scan_id: p.order for p in shown if p.repeat}
        assert set(first) == {case.scan_id for case in made.cases}
        assert set(again) == set(repeats)
        assert all(again[scan] - first[scan] >= gap for scan in again)


def test_every_reader_and_arm_has_an_own_order_that_stays() -> None:
    made = design(20, model=aid(20))
    orders = [
        tuple(p.scan_id for p in made.reading_list(reader) if p.arm == arm)
        for reader in made.readers
        for arm in made.arms
    ]
    assert len(set(orders)) == 8
    assert made.reading_list("R1") == design(20, model=aid(20)).reading_list("R1")
    assert made.reading_list("R1") != design(20, model=aid(20), seed=1).reading_list("R1")


def test_no_place_is_favored() -> None:
    """Over many seeds every case comes first about equally often (chi-square, 3 df, p > 1e-6)."""
    n = 4
    firsts = Counter(
        design(n, seed=seed, repeats=("sub-0_ses-01",)).reading_list("R1")[0].scan_id
        for seed in range(400)
    )
    chi2 = sum((firsts[case.scan_id] - 100) ** 2 / 100 for case in cases(n))
    assert chi2 < 31


def test_half_of_the_readers_begin_with_each_arm_by_lot() -> None:
    begins = [
        tuple(design(4, model=aid(4), seed=seed).arm_order(r)[0] for r in ("R1", "R2", "R3", "R4"))
        for seed in range(30)
    ]
    assert all(Counter(row) == {"aided": 2, "unaided": 2} for row in begins)
    assert len(set(begins)) > 3


def test_what_does_not_fit_is_refused_all_at_once() -> None:
    with pytest.raises(ConfigError, match=r"2 fault.*seed.*washout_days"):
        design(seed=-1, washout_days=-1)
    for bad in (
        {"readers": ("R1", "R1")},
        {"readers": ("../R1",)},
        {"cases": (*cases(2), *cases(1))},
        {"repeats": ("sub-99_ses-01",)},
        {"repeats": ("sub-1_ses-01",), "repeat_gap": 21},
        {"model": aid(19)},
        {"model": aid(20, probabilities={c.scan_id: 1.5 for c in cases(20)})},
        {"nonsense": 1},
        {"name": "../x"},
    ):
        with pytest.raises(ConfigError):
            design(**bad)


def test_a_design_reads_back_as_it_was_written(tmp_path: Path) -> None:
    made = design(5, model=aid(5), repeats=("sub-2_ses-01",))
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(made.model_dump(mode="json")))
    assert load_design(path) == made
    assert load_design(path).hash() == made.hash()


@pytest.mark.parametrize("text", ["", "[", "- 1\n- 2", "name: x", "!!python/object:os.system {}"])
def test_a_file_that_is_no_design_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_design(path)

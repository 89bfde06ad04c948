from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.config import TrainConfig
from hemocast.errors import OutputExists, TableError, TooFewPatients
from hemocast.train import StackTable, inner_parts, write_stacks
from hemocast.train.data import class_weights
from hemocast.volume import from_levels


def test_what_is_written_is_read_back_exactly(table, stacks):
    array = table.open()
    assert isinstance(array, np.memmap)
    for row, stack in zip(array, stacks, strict=True):
        assert np.array_equal(from_levels(row), stack.frames)


def test_a_wrong_number_of_stacks_leaves_nothing_behind(tmp_path, stacks):
    for count in (1, 3):
        with pytest.raises(ValueError, match="stack"):
            write_stacks(stacks[:2], count, tmp_path / "x.npy")
        assert list(tmp_path.iterdir()) == []


def test_a_refused_scan_leaves_its_row_empty(tmp_path, stacks):
    rows = write_stacks([stacks[0], None, stacks[2]], 3, tmp_path / "x.npy")
    assert rows == (0, 2)
    array = np.load(tmp_path / "x.npy")
    assert np.array_equal(from_levels(array[2]), stacks[2].frames)
    with pytest.raises(ValueError, match="0 not empty"):
        write_stacks([None, None], 2, tmp_path / "y.npy")
    assert not (tmp_path / "y.npy").exists()


def test_other_stacks_are_never_replaced(tmp_path, stacks):
    """A run's stacks stay those of that run, whatever is trained later."""
    path = tmp_path / "stacks.npy"
    write_stacks(stacks[:2], 2, path)
    before = path.read_bytes()
    with pytest.raises(OutputExists, match="Other stacks"):
        write_stacks(stacks[2:4], 2, path)
    assert path.read_bytes() == before
    assert write_stacks(stacks[:2], 2, path) == (0, 1)
    assert [file.name for file in tmp_path.iterdir()] == ["stacks.npy"]


def test_a_validation_part_that_somebody_chose_is_taken_as_it_is():
    labels = {f"p{i}": i % 2 for i in range(8)}
    train, held = inner_parts(labels, TrainConfig(), ["p2", "p5", "p99"])
    assert held == ("p2", "p5")
    assert set(train) == labels.keys() - {"p2", "p5"}
    with pytest.raises(TooFewPatients, match="validation part"):
        inner_parts(labels, TrainConfig(), ["p2", "p4"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": (0, 2)}, "Labels hold"),
        ({"label": (0,)}, "entries"),
        ({"scan_id": ("s1", "s1")}, "more than once"),
    ],
)
def test_bad_tables_are_refused(tmp_path, change, message):
    good = StackTable(tmp_path / "x.npy", ("p1", "p2"), ("s1", "s2"), (0, 1))
    with pytest.raises(TableError, match=message):
        replace(good, **change)


def test_a_part_keeps_all_scans_of_its_patients(table):
    part = table.of(["sub-0001", "sub-0010"])
    assert part.scan_id == ("sub-0001_ses-01", "sub-0010_ses-01", "sub-0001_ses-02")
    assert part.rows == (1, 10, 25)
    assert part.of(["sub-0001"]).rows == (1, 25)


def test_every_patient_weighs_one(table):
    weights = table.patient_weights()
    for patient in set(table.participant_id):
        mine = [w for w, p in zip(weights, table.participant_id, strict=True) if p == patient]
        assert sum(mine) == pytest.approx(1)


def test_a_patient_is_positive_if_any_scan_is(tmp_path):
    table = StackTable(tmp_path / "x.npy", ("p", "p", "q"), ("a", "b", "c"), (0, 1, 0))
    assert table.patient_labels() == {"p": 1, "q": 0}


def test_the_hash_sees_pictures_and_labels_but_not_the_order(table):
    order = np.random.default_rng(0).permutation(len(table))

    def pick(column):
        return tuple(column[i] for i in order)

    shuffled = StackTable(
        table.array,
        pick(table.participant_id),
        pick(table.scan_id),
        pick(table.label),
        pick(table.rows),
    )
    assert shuffled.content_hash() == table.content_hash()
    relabelled = replace(table, label=(1 - table.label[0], *table.label[1:]))
    assert relabelled.content_hash() != table.content_hash()
    moved = replace(table, rows=(1, 0, *table.rows[2:]))
    assert moved.content_hash() != table.content_hash()


@pytest.mark.parametrize(
    ("positive", "rule", "balanced"),
    [(20, "auto", True), (25, "auto", False), (75, "auto", False), (76, "auto", True),
     (20, "none", False), (50, "balanced", True)],
)  # fmt: skip
def test_a_rare_class_is_weighed_up_by_a_stated_rule(positive, rule, balanced):
    labels = {f"sub-{i}": int(i < positive) for i in range(100)}
    without, having = class_weights(labels, rule)
    if not balanced:
        assert (without, having) == (1, 1)
        return
    assert having * positive == pytest.approx(without * (100 - positive))
    assert having * positive + without * (100 - positive) == pytest.approx(100)

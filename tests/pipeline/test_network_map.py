"""Where a network's maps lie, by networks whose maps are known."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hemocast.nets import MapGrid
from hemocast.pipeline.network_map import PEAK, SHARE, evidence_of_network, network_map
from hemocast.train.pretrain.findings import FindingsTable
from hemocast.volume import Stack

SHAPE = (6, 48, 48)
LESION = (slice(2, 4), slice(10, 20), slice(10, 20))


class Points:
    """A network whose map is 1 in one block, whatever it sees."""

    map_grid = MapGrid.even(SHAPE, SHAPE)
    head = SimpleNamespace(weight=torch.ones(1, 1))

    def __init__(self, block: tuple[slice, ...]) -> None:
        self.map = torch.zeros(1, 1, *SHAPE)
        self.map[(0, 0, *block)] = 1

    def __call__(self, _frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(1), self.map


@pytest.fixture
def cohort(tmp_path: Path) -> FindingsTable:
    """Four scans of three patients, the infarct in one block of each."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "findings").mkdir()
    frames = np.zeros((4, *SHAPE), np.uint8)
    frames[:, :, 4:44, 4:44] = 150
    lesion = np.zeros((4, *SHAPE), np.bool_)
    lesion[(slice(None), *LESION)] = True
    np.save(tmp_path / "stacks/stacks.npy", frames)
    np.save(tmp_path / "findings/lesions.npy", np.packbits(lesion, axis=-1))
    many = np.ones(4, np.float32)
    return FindingsTable(tmp_path, np.ones((4, 8), np.float32), many, many, many)


TABLE = SimpleNamespace(participant_id=["a", "a", "b", "c"], label=[1, 1, 1, 0], rows=[0, 1, 2, 3])


def test_a_map_on_the_infarct_hits_and_one_elsewhere_misses(cohort: FindingsTable) -> None:
    on = evidence_of_network(Points(LESION), TABLE, cohort)
    assert (on[PEAK].value, on[PEAK].n) == (1, 2)  # a patient once, and none without HT
    assert on[SHARE].value == pytest.approx(1)
    off = evidence_of_network(Points((slice(2, 4), slice(30, 40), slice(30, 40))), TABLE, cohort)
    assert off[PEAK].value == 0
    assert off[PEAK].ci_high < 0.7
    assert off[SHARE].value == pytest.approx(0)


def test_without_a_scan_with_ht_there_is_a_reason(cohort: FindingsTable) -> None:
    none = SimpleNamespace(participant_id=["c"], label=[0], rows=[3])
    assert evidence_of_network(Points(LESION), none, cohort)[PEAK].warning


def test_one_scan_has_a_share_without_limits(cohort: FindingsTable) -> None:
    one = SimpleNamespace(participant_id=["b"], label=[1], rows=[2])
    share = evidence_of_network(Points(LESION), one, cohort)[SHARE]
    assert share.value == pytest.approx(1)
    assert (math.isnan(share.ci_low), share.warning) == (True, "one scan has no spread")


def test_maps_end_at_the_brain() -> None:
    brain = np.zeros(SHAPE, np.bool_)
    brain[:, :15] = True
    stack = Stack(np.ones(SHAPE, np.float32), brain, np.eye(4), None)
    found = network_map(Points(LESION), stack)
    assert found[2, 12, 12] == pytest.approx(1, abs=0.01)
    assert found[2, 18, 12] == 0

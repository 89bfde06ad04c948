"""Which SuperNode is which hospital is proved, not said. Needs Flower: `make federate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed: make federate")

from tests.federate.flower.memory import SITES, Grid, hospitals

from hemocast.errors import PeerRefused
from hemocast.federate import federate
from hemocast.federate.flower.nodes import Nodes, Remote
from hemocast.federate.folder import KEY, read_site
from hemocast.federate.keys import make_key


def test_hospitals_learn_over_messages_what_they_learn_in_one_process(tmp_path: Path) -> None:
    signed = hospitals(tmp_path, rounds=3)
    nodes = Nodes(Grid(tmp_path), signed, 5.0)
    nodes.wait()
    found = federate(signed, {name: Remote(name, nodes) for name in SITES})
    here = federate(signed, {name: read_site(tmp_path / name, name) for name in SITES})
    np.testing.assert_array_equal(found.head, here.head)
    assert found.calibration == here.calibration
    assert {one.site: one.rounds for one in found.receipts} == dict.fromkeys(SITES, 7)


def test_who_has_not_the_hospitals_key_is_not_that_hospital(tmp_path: Path) -> None:
    signed = hospitals(tmp_path)
    (tmp_path / "rural" / KEY).unlink()
    make_key(tmp_path / "rural" / KEY)
    nodes = Nodes(Grid(tmp_path), signed, 0.05)
    with pytest.raises(PeerRefused, match="1 hospital"):
        nodes.wait()


def test_a_hospital_that_is_gone_is_away(tmp_path: Path) -> None:
    signed, grid = hospitals(tmp_path), Grid(tmp_path)
    nodes = Nodes(grid, signed, 5.0)
    nodes.wait()
    grid.away.add("rural")
    assert set(nodes.there()) == set(SITES) - {"rural"}
    with pytest.raises(PeerRefused, match="away"):
        Remote("rural", nodes).counts()
    grid.away.clear()
    assert Remote("rural", nodes).counts().n_patients == SITES["rural"]

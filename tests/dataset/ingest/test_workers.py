"""Who reads the scans."""

from __future__ import annotations

import sys

import pytest

from hemocast.dataset.ingest.workers import Workers
from hemocast.errors import MissingExtra, NothingThere


def test_processes_are_as_many_as_asked_for() -> None:
    with Workers().ready() as one, Workers(3).ready() as three:
        assert (one, three) == (1, 3)


def test_a_cluster_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match="cluster"), Workers(cluster="tcp://x:1").ready():
        pass


def test_an_address_that_is_none_is_said() -> None:
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with pytest.raises(NothingThere, match="scheduler"), Workers(cluster="nonsense://").ready():
        pass

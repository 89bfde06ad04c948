"""The CPUs a run may use, also where the system does not tell."""

from __future__ import annotations

import os

import pytest

from hemocast.onnx import usable_cpus


def test_cpus_are_counted_where_affinity_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cpus() == os.cpu_count()

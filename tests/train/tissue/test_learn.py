from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from hemocast.simulate.randomised.heads import keep_heads
from hemocast.train.tissue import learn as module
from hemocast.train.tissue.learn import Course, Stream, learn


@pytest.mark.slow
def test_training_goes_on_where_it_stopped(tmp_path, monkeypatch):
    keep_heads(tmp_path / "heads", 1, 3)
    heads = sorted((tmp_path / "heads").iterdir())
    monkeypatch.setattr(module, "_REPORT", 1)
    learn(heads, tmp_path / "run", Course(minutes=0.01, batch=1))
    first = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["state"]
    net = learn(heads, tmp_path / "run", Course(minutes=0.01 + first["seconds"] / 60, batch=1))
    rows = [json.loads(line) for line in (tmp_path / "run" / "curve.jsonl").open()]
    steps = [row["step"] for row in rows]
    assert steps == sorted(set(steps))
    assert steps[-1] > first["step"] >= 1
    assert all(np.isfinite(row["loss"]) for row in rows)
    assert not net.training


def test_samples_are_the_same_whenever_training_goes_on(tmp_path):
    keep_heads(tmp_path, 1, 3)
    heads = sorted(tmp_path.iterdir())
    whole = iter(Stream(heads, 5, 0))
    next(whole)
    windows, kinds, inside = next(whole)
    again = next(iter(Stream(heads, 5, 1)))
    assert torch.equal(windows, again[0])
    assert torch.equal(kinds, again[1])
    assert 0 <= float(inside.min()) <= float(inside.max()) <= 1

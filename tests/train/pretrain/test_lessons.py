"""Any network of the registry can be taught findings first, and keeps the form it has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig
from hemocast.errors import ModelCorrupt, UsageError
from hemocast.nets import build
from hemocast.nets.hemispheres import FINDINGS
from hemocast.train import StackTable, fit, predict_table
from hemocast.train.pretrain.encoder import NamedEncoder, read_about, read_encoder
from hemocast.train.pretrain.findings import FindingsTable
from hemocast.train.pretrain.head import encoder_network, findings_of, with_encoder
from hemocast.train.pretrain.learn import Cache, Learning, PretrainCourse
from hemocast.train.pretrain.lessons import lesson_of
from hemocast.train.pretrain.run import PretrainPlan, pretrain_encoder

COURSE = PretrainCourse(steps=3, batch=4)


def small(name: str) -> NetConfig:
    return NetConfig(name=name, pool=1, smooth=3, relief=False, stem=8, widths=(8,), blocks=1)


@pytest.fixture(scope="module")
def data(cohort) -> StackTable:
    """Return the scans with labels, one a patient."""
    people = tuple(f"sub-{k}" for k in range(12))
    labels = tuple(int(k >= 6) for k in range(12))
    return StackTable(cohort / "stacks" / "stacks.npy", people, people, labels)


@pytest.mark.parametrize("name", ["ctnet3d", "ctnet2d", "soundari-style"])
def test_a_network_is_taught_and_its_predictor_becomes_a_line_of_findings(
    name, cohort, data, tmp_path
):
    out = tmp_path / "encoder"
    assert pretrain_encoder([cohort], out, PretrainPlan(small(name), COURSE, 1))
    assert read_about(out).net == small(name)
    plain = Config(prepare=PrepareConfig(frames=8, size=96), train=TrainConfig(threads=1))
    config = with_encoder(plain, out)
    fitted = fit(data, config, tmp_path / "run")
    encoder = encoder_network(config)
    for key, value in encoder.net.state_dict().items():
        assert torch.equal(fitted.net.state_dict()[key], value) != key.startswith("head.")
    findings = findings_of(encoder, data)
    assert findings.shape == (len(data), len(FINDINGS))
    own = predict_table(fitted.net, data)
    beside = np.column_stack([findings, np.ones(len(data))])
    found, *_ = np.linalg.lstsq(beside, own, rcond=None)
    np.testing.assert_allclose(beside @ found, own, atol=1e-3)
    assert np.ptp(own) > 1e-3


def test_it_learns_to_name_and_to_outline(cohort, tmp_path):
    lesson = lesson_of(small("ctnet3d"), 8)
    cache = Cache.of([FindingsTable.of_cohort(cohort)], lesson, tmp_path)
    learning = Learning(lesson, PretrainCourse(steps=100, batch=4, rate=1e-2), cache, tmp_path)
    assert learning.run()
    first, *_, last = learning.state.curve
    assert set(first) == {"step", "outline", *FINDINGS}
    assert last["outline"] < 0.9 * first["outline"]
    assert last["volume"] < first["volume"]


def test_outlines_move_with_the_scan_and_keep_their_values(cohort, tmp_path):
    lesson = lesson_of(small("ctnet3d"), 8)
    batch = Cache.of([FindingsTable.of_cohort(cohort)], lesson, tmp_path).batch(np.arange(4))
    changed = lesson.changed(batch, torch.Generator().manual_seed(1))
    assert changed.channels.shape == batch.channels.shape
    assert not torch.equal(changed.lesion, batch.lesion)
    assert changed.lesion.max() <= 1 + 1e-6
    # What is darker lies where the outline lies, before and after.
    for one in (batch, changed):
        inside = (one.channels[:, 1:2] * one.lesion).sum() / one.lesion.sum()
        assert inside > 2 * one.channels[:, 1:2].mean()


def test_only_hemocasts_own_network_has_members(cohort, tmp_path):
    with pytest.raises(UsageError, match="one: only"):
        pretrain_encoder([cohort], tmp_path / "out", PretrainPlan(small("ctnet3d"), COURSE, 2))
    assert not (tmp_path / "out").exists()


def test_weights_of_another_network_are_refused(cohort, tmp_path):
    out = tmp_path / "encoder"
    pretrain_encoder([cohort], out, PretrainPlan(small("ctnet3d"), COURSE, 1))
    assert isinstance(read_encoder(out, build(small("ctnet3d"), 8)), NamedEncoder)
    with pytest.raises(ModelCorrupt):
        read_encoder(out, build(small("ctnet2d"), 8))

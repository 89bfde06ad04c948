"""Scan and clinical record in one network, all of whose weights are learned together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hemocast.classical.logistic import learn_ridge
from hemocast.config import Config, NetConfig
from hemocast.errors import ConfigError
from hemocast.model import Purpose
from hemocast.nets import build
from hemocast.stats import Cases, auc
from hemocast.train import EpochRecord, StackTable, fit, pack, predict_fitted, predict_table
from hemocast.train.joint import NOTHING, Beside, Joint
from hemocast.train.measured import cohort_of


def changed(config: Config, **train: object) -> Config:
    train = {"record": True} | train
    return config.model_copy(update={"train": config.train.model_copy(update=train)})


@pytest.fixture(scope="module")
def known(table: StackTable, recorded: Callable[[StackTable], StackTable]) -> StackTable:
    """Return the scans with a record."""
    return recorded(table)


def test_without_columns_it_is_the_network_to_the_bit():
    net = build(NetConfig(pool=1, smooth=3, relief=False, stem=8, widths=(8,)), 4).eval()
    channels = torch.rand(2, 2, 4, 8, 8)
    with torch.inference_mode():
        assert torch.equal(
            Joint(net, NOTHING)(channels, torch.empty(2, 0)), net.classify(channels)[0]
        )


def test_the_line_begins_where_the_ridge_on_the_record_ends(known, config, tmp_path):
    fitted = fit(known, changed(config, learning_rate=1e-9, refit=False), tmp_path)
    ridge = learn_ridge(cohort_of(fitted.train, fitted.train.record()))
    np.testing.assert_allclose(fitted.joined.fitted.coefficients, ridge.coefficients, atol=1e-6)
    record = known.record()
    added = predict_fitted(fitted, known) - predict_table(fitted.net, known)
    columns = ridge.design.columns(record) @ ridge.coefficients
    np.testing.assert_allclose(added, columns, atol=1e-4)


def test_both_are_learned_together_and_know_more_than_the_scan(known, config, tmp_path):
    alone = fit(known, changed(config, record=False), tmp_path / "alone")
    fitted = fit(known, changed(config), tmp_path / "both")
    label = np.array(known.label)
    both, scan = (auc(Cases(label, predict_fitted(one, known))) for one in (fitted, alone))
    assert both > scan
    assert alone.joined is None
    assert fitted.data_hash != alone.data_hash
    # Told of the record, the network itself learns something else; and the line has moved.
    assert not torch.equal(fitted.net.head.weight, alone.net.head.weight)
    start = Beside.learned(known).start
    assert np.abs(fitted.joined.fitted.coefficients - start).max() > 1e-3


def test_the_line_is_held_down_as_the_ridge_was(known):
    beside = Beside.learned(known)
    assert beside.penalty == pytest.approx(beside.fitted.penalty / len(known.participants))
    nothing = beside.with_line(torch.zeros(len(beside.start)))
    assert not nothing.added(known.record()).any()


def test_an_interrupted_run_resumes_to_the_same_result(known, config, tmp_path):
    def interrupt(done: int, total: int, last: EpochRecord | None) -> None:
        if last is not None and last.epoch == 2:
            raise KeyboardInterrupt

    settings = changed(config, epochs=3)
    whole = fit(known, settings, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(known, settings, tmp_path / "cut", progress=interrupt)
    again = fit(known, settings, tmp_path / "cut")
    assert np.array_equal(predict_fitted(whole, known), predict_fitted(again, known))
    assert np.array_equal(whole.validation_logit, again.validation_logit)


def test_the_model_folder_answers_as_what_was_trained(known, stacks, config, tmp_path):
    fitted = fit(known, changed(config, epochs=2), tmp_path / "run")
    model = pack(fitted, tmp_path / "m", Purpose("m", "h", "p"), stacks[:2])
    record, own = known.record(), predict_fitted(fitted, known)
    frames = np.stack(list(known.frames()))
    np.testing.assert_allclose(model.logits(frames, record), own, atol=1e-3)
    assert model.needs_record
    place = int(np.flatnonzero(np.isnan(record.values[:, 0]))[0])
    found = model.predict_stack(stacks[place], scan_id="s", record=record.part(np.array([place])))
    assert found.told == "a plain head CT and the clinical record"
    assert found.has_heatmap
    assert any("not known of the patient: age" in flag for flag in found.flags)


def test_a_model_from_measurements_says_by_its_name_what_it_is_told(known, config, tmp_path):
    with pytest.raises(ConfigError, match="whose name says"):
        fit(known, changed(config).with_net("histogram-ridge"), tmp_path)

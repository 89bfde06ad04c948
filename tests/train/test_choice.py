"""Patients held out decide whether a model starts from the encoder that comes along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.config import Config
from hemocast.train import Fitted, choice
from hemocast.train.choice import candidates, choose


@pytest.fixture
def open_config(config: Config) -> Config:
    return config.with_choice()


def told(table, config: Config, strength: float, people: slice) -> Fitted:
    """Return a network whose held-out logits tell the labels that well."""
    held = table.of(table.participants[people])
    noise = np.random.default_rng(3).normal(size=len(held))
    logit = strength * (2 * np.array(held.label) - 1) + noise
    return Fitted(
        config=config,
        net=None,  # type: ignore[arg-type]
        best_epoch=0,
        history=(),
        train=table.of(()),
        validation=held,
        validation_logit=logit.astype(np.float32),
        data_hash="",
        prevalence=0.5,
    )


@pytest.mark.parametrize(("plain", "encoded"), [(0.2, 2.0), (2.0, 0.2)])
def test_the_one_that_tells_held_out_patients_better_is_kept(
    table, open_config, plain, encoded
) -> None:
    strengths = {"ctnet3d": plain, "hemispheres": encoded}
    parts = {"ctnet3d": slice(0, 8), "hemispheres": slice(None)}

    def fitting(one: Config) -> Fitted:
        return told(table, one, strengths[one.net.name], parts[one.net.name])

    best = choose(fitting, open_config)
    better, other = ("hemispheres", "ctnet3d") if encoded > plain else ("ctnet3d", "hemispheres")
    assert (best.config.net.name, best.compared.other) == (better, other)
    assert best.compared.loss < best.compared.loss_other
    assert best.compared.n_patients == 8  # whom both have logits of


def test_of_equals_the_plain_network_stays(table, open_config) -> None:
    best = choose(lambda one: told(table, one, 1.0, slice(None)), open_config)
    assert best.config.net.name == open_config.net.name


def test_the_loss_counts_patients_not_scans(table, open_config) -> None:
    """A patient with many badly told scans must not decide alone."""
    fitted = told(table, open_config, 1.0, slice(None))
    doubled = replace(
        fitted.validation,
        participant_id=fitted.validation.participant_id * 2,
        scan_id=tuple(f"{k}" for k in range(2 * len(fitted.validation))),
        label=fitted.validation.label * 2,
        rows=fitted.validation.rows * 2,
    )
    twice = replace(
        fitted, validation=doubled, validation_logit=np.tile(fitted.validation_logit, 2)
    )
    people = fitted.validation.participants
    assert choice._loss(twice, people) == pytest.approx(choice._loss(fitted, people), rel=1e-6)


def test_both_candidates_keep_all_other_settings(open_config) -> None:
    plain, encoded = candidates(open_config)
    assert (plain.net, plain.train.encoder) == (open_config.net, None)
    assert (encoded.net.name, encoded.train.encoder) == ("hemispheres", "own")
    for one in (plain, encoded):
        assert one.prepare == open_config.prepare
        assert one.train.seed == open_config.train.seed


def test_both_candidates_are_told_of_the_record(open_config) -> None:
    assert all(one.train.record for one in candidates(open_config.with_record()))

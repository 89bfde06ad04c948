from __future__ import annotations

import csv

import pytest
import torch

from hemocast.errors import OutputExists
from hemocast.nets.hemispheres import FINDINGS
from hemocast.train.pretrain.findings import FindingsTable
from hemocast.train.pretrain.learn import Cache, Learning, PretrainCourse
from hemocast.train.pretrain.lessons import lesson_of

COURSE = PretrainCourse(steps=50, batch=4, rate=1e-2)


@pytest.fixture(scope="module")
def lesson(net):
    """Return how the network is taught."""
    return lesson_of(net, 8)


@pytest.fixture(scope="module")
def cache(cohort, lesson, tmp_path_factory):
    """Return what is fed of the cohort."""
    return Cache.of([FindingsTable.of_cohort(cohort)], lesson, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def learned(cache, lesson, tmp_path_factory):
    """Return a finished run."""
    learning = Learning(lesson, COURSE, cache, tmp_path_factory.mktemp("learned"))
    assert learning.run()
    return learning


def test_it_learns_to_outline_and_to_tell_sides(learned):
    with (learned.folder / "curve.csv").open() as file:
        first, last = list(csv.DictReader(file))
    assert float(last["outline"]) < 0.9 * float(first["outline"])
    assert float(last["side"]) < float(first["side"])
    assert set(first) == {"step", "outline", "side", *FINDINGS}


def test_a_run_that_was_stopped_ends_with_the_same_weights(learned, cache, lesson, tmp_path):
    class Killed(Exception):
        pass

    def stop(done, total):
        if done == 17:
            raise Killed

    first = Learning(lesson, COURSE, cache, tmp_path)
    assert not first.run(limit_s=0)  # the limit came first, and the state is kept
    second = Learning(lesson, COURSE, cache, tmp_path)
    with pytest.raises(Killed):
        second.run(stop)
    second.keep()
    third = Learning(lesson, COURSE, cache, tmp_path)
    assert third.state.step == 17
    assert third.run()
    for name, value in learned.average.state_dict().items():
        assert torch.equal(value, third.average.state_dict()[name]), name


def test_another_runs_folder_is_refused(learned, cache, lesson):
    with pytest.raises(OutputExists):
        Learning(lesson, PretrainCourse(steps=51, batch=4), cache, learned.folder)

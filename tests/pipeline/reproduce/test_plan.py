"""The settings of a reproduction."""

from __future__ import annotations

from hemocast.pipeline.reproduce.plan import make_plan


def test_the_plan_is_the_papers_and_the_fast_one_a_third_of_it() -> None:
    full, fast = make_plan(fast=False, seed=1), make_plan(fast=True, seed=1)
    assert (full.simulate.n_ht, full.simulate.n_non, full.test_fraction) == (231, 243, 0.1)
    assert full.run.prepare.frames == 28
    assert fast.simulate.n_ht + fast.simulate.n_non == 158
    assert full.run.train.seed == full.simulate.seed == 1

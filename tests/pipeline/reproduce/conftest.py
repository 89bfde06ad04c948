"""A reproduction in small, made once."""

from __future__ import annotations

import pytest

from hemocast.config import Config
from hemocast.pipeline.reproduce import run as module
from hemocast.pipeline.reproduce.plan import Plan
from hemocast.pipeline.reproduce.run import reproduce
from hemocast.pipeline.simulated_run import RunOptions
from hemocast.simulate import DEMO


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, config: Config):
    """A reproduction with 16 patients and two epochs; gives its folder."""
    cohort = DEMO.model_copy(update={"n_ht": 8, "n_non": 8, "matrix": 128, "masks": True})

    def tiny(*, fast: bool, seed: int) -> Plan:
        simulate = cohort.model_copy(update={"seed": seed})
        return Plan(simulate=simulate, run=config, test_fraction=0.4)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "make_plan", tiny)
        out = tmp_path_factory.mktemp("paper") / "out"
        reproduce(out, options=RunOptions(seed=3))
        yield out

"""A reproduction in small, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.config import Config
from hemocast.pipeline.reproduce.plan import Plan
from hemocast.pipeline.reproduce.run import reproduce_plan
from hemocast.pipeline.simulated_run import RunOptions
from hemocast.simulate import DEMO


@pytest.fixture(scope="session")
def plan(config: Config) -> Plan:
    """10 patients and two epochs."""
    sizes = {"n_ht": 5, "n_non": 5, "scans_per_patient": 1.1, "matrix": 128}
    simulate = DEMO.model_copy(update={**sizes, "masks": True, "seed": 3})
    return Plan(simulate=simulate, run=config, test_fraction=0.4)


@pytest.fixture(scope="session")
def small(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a reproduction."""
    out = tmp_path_factory.mktemp("paper") / "out"
    reproduce_plan(out, plan, RunOptions(seed=3))
    return out

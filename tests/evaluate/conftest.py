"""Two models on the same scans, as the reader of a table gives them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from hemocast.stats import Cases
from hemocast.stats.cases import ModelCases


@pytest.fixture
def model() -> Callable[..., ModelCases]:
    """Return a maker of models that see the same level with noise of their own."""

    def make(
        name: str = "m", n: int = 120, scans: int = 1, seed: int = 0, noise: float = 0.5
    ) -> ModelCases:
        shared, own = np.random.default_rng(1), np.random.default_rng(seed)
        truth = np.repeat(np.arange(n) % 2, scans)
        level = np.repeat(shared.normal(1.5 * (np.arange(n) % 2), 1, n), scans)
        score = expit(level - 0.75 + own.normal(0, noise, truth.size))
        cases = Cases(truth, score, np.repeat(np.arange(n), scans))
        return ModelCases(name, cases, np.arange(truth.size), 0.5)

    return make

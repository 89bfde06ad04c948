"""Paired decisions against R."""

from pathlib import Path

import numpy as np
import pytest

from hemocast.stats import mcnemar_exact


def test_as_r_gives_it(reference: Path, proc: dict) -> None:
    raters = np.loadtxt(reference / "raters.csv", delimiter=",", skiprows=1)
    result = mcnemar_exact(raters[:, 0], raters[:, 1])
    assert result.p == pytest.approx(proc["mcnemar_exact_12"], rel=1e-6)

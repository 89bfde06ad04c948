"""Kappas against R: psych and irr."""

from pathlib import Path

import numpy as np
import pytest

from hemocast.stats import cohen_kappa, fleiss_kappa


@pytest.fixture(scope="module")
def raters(reference: Path) -> np.ndarray:
    return np.loadtxt(reference / "raters.csv", delimiter=",", skiprows=1).astype(int)


def half_width(estimate) -> float:
    return (estimate.ci_high - estimate.ci_low) / 2


def test_as_psych_and_irr_give_them(raters: np.ndarray, proc: dict) -> None:
    cohen = cohen_kappa(raters[:, 0], raters[:, 1])
    assert cohen.value == pytest.approx(proc["cohen_12"]["kappa"], rel=1e-6)
    variance = (half_width(cohen) / 1.959963984540054) ** 2
    assert variance == pytest.approx(proc["cohen_12"]["var"], rel=1e-6)
    assert fleiss_kappa(raters).value == pytest.approx(proc["fleiss"], rel=1e-6)

"""Calibration against R: rms and loess."""

from pathlib import Path

import numpy as np
import pytest

from hemocast.stats import Cases, brier, measure_calibration

Z = 1.959963984540054


@pytest.fixture(scope="module")
def calib(reference: Path) -> Cases:
    table = np.loadtxt(reference / "calib.csv", delimiter=",", skiprows=1)
    return Cases(table[:, 1], table[:, 0])


def test_as_rms_and_loess_give_them(calib: Cases, proc: dict) -> None:
    result, told = measure_calibration(calib), proc["calibration"]
    assert result.in_the_large.value == pytest.approx(told["intercept_in_the_large"], rel=1e-6)
    assert result.slope.value == pytest.approx(told["slope"], rel=1e-6)
    assert result.intercept == pytest.approx(told["intercept_joint"], rel=1e-6)
    for estimate, error in ((result.in_the_large, "se"), (result.slope, "slope_se")):
        half = (estimate.ci_high - estimate.ci_low) / 2
        assert half / Z == pytest.approx(told[error], rel=1e-6)
    for name in ("ICI", "E50", "E90", "Emax"):
        assert getattr(result, name.lower()).value == pytest.approx(told[f"loess_{name}"], rel=1e-6)
    assert brier(calib) == pytest.approx(told["val.prob"]["Brier"], rel=1e-6)

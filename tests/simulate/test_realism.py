"""Simulated heads against a real one: the numbers that docs/lab/simulator.md prints."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "realism.py"


@pytest.fixture(scope="module")
def realism() -> ModuleType:
    """Return the program that measures real and simulated heads in one way."""
    if not BENCHMARK.is_file():
        pytest.skip("benchmarks/realism.py is not there: not a whole source tree")
    spec = importlib.util.spec_from_file_location("hemocast_realism", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def simulated(realism):
    """Return what is measured in a simulated head laid and scanned as the real one."""
    return realism.measure_scan(realism.simulated_scan(3))


@pytest.fixture(scope="module")
def real(realism, data_dir):
    """Return what is measured in the real head."""
    if not (data_dir / realism.REAL).is_file():
        pytest.skip(f"{realism.REAL} is not in the folder of real test data")
    return realism.measure_scan(realism.real_scan(data_dir))


@pytest.mark.slow
def test_medians_lie_within_the_textbook_ranges(simulated):
    """Grey 37-41, white 25-32, fluid 0-12; deep nuclei hold some white matter: 1 HU less."""
    assert 36 <= simulated.grey <= 41
    assert 25 <= simulated.white <= 32
    assert 0 <= simulated.fluid <= 12
    assert 7 <= simulated.grey - simulated.white <= 12


@pytest.mark.slow
def test_contrast_of_grey_and_white_is_that_of_the_real_head(simulated, real):
    assert simulated.grey - simulated.white == pytest.approx(real.grey - real.white, abs=3)
    assert simulated.fluid == pytest.approx(real.fluid, abs=4)


@pytest.mark.slow
def test_the_brains_histograms_overlap_by_two_thirds(realism, simulated, real):
    assert realism.overlap(simulated.brain, simulated.brain) == pytest.approx(1)
    assert realism.overlap(simulated.brain, real.brain) > 0.67


@pytest.mark.slow
def test_noise_has_the_real_ones_strength_and_texture(realism, simulated, real):
    """Anatomy fills the lowest frequencies; above 0.2 per mm what is left is noise."""
    assert simulated.noise == pytest.approx(real.noise, rel=0.15)
    middle = (realism.FREQUENCY[:-1] + realism.FREQUENCY[1:]) / 2
    above = (middle > 0.2) & (middle < 0.75)
    ratio = np.log(simulated.spectrum[above] / real.spectrum[above])
    assert np.abs(ratio).max() < np.log(1.8)


@pytest.mark.slow
def test_the_vault_is_as_dense_as_the_real_one(simulated, real):
    assert simulated.bone[2] == pytest.approx(real.bone[2], rel=0.15)
    assert simulated.bone[4] == pytest.approx(real.bone[4], rel=0.2)


@pytest.mark.slow
def test_skin_and_ventricle_are_as_sharp_as_in_the_real_head(simulated, real):
    def steepest(scan, name: str) -> float:
        mm, hu = scan.edges[name]
        return float(np.abs(np.gradient(hu, mm)).max())

    for name, factor in (("skin and air", 1.4), ("ventricle and tissue", 2.5)):
        ratio = steepest(simulated, name) / steepest(real, name)
        assert 1 / factor < ratio < factor


@pytest.mark.slow
def test_known_difference_the_rim_under_the_bone_is_not_brightened(simulated, real):
    """Fails when the simulator learns it: then its page must no longer say so."""

    def rim(scan) -> float:
        mm, hu = scan.edges["brain and inner table"]
        return float(hu[np.abs(mm + 3.25).argmin()] - hu[np.abs(mm + 10.25).argmin()])

    assert rim(real) > 6
    assert rim(simulated) < 4


def test_unlike_things_measure_unlike(realism):
    """The overlap is a share of area: it falls by what is moved."""
    one = np.zeros(100)
    one[20:30] = 0.1
    assert realism.overlap(one, np.roll(one, 4)) == pytest.approx(0.6)

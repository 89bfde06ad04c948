"""Heads and cohorts that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.config import SimulateConfig
from hemocast.simulate import Truth, simulate_cohort

SMALL = SimulateConfig(
    seed=5, n_ht=2, n_non=2, matrix=64, slice_mm=10, masks=True, bleeds=True, tilt_fraction=0.5
)


@pytest.fixture(scope="session")
def small_config() -> SimulateConfig:
    """Return the settings of a cohort of four with coarse images."""
    return SMALL


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """Return that cohort, written by one process."""
    return simulate_cohort(SMALL, tmp_path_factory.mktemp("one") / "cohort")


@pytest.fixture(scope="session")
def contents():
    """Return a function that gives every file under a folder, but for the lock and the record."""

    def _contents(folder: Path) -> dict[str, bytes]:
        return {
            str(p.relative_to(folder)): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file() and not p.name.startswith(".")
        }

    return _contents


class StoppedError(Exception):
    """Ends a run as a user's ctrl-C would."""


@pytest.fixture(scope="session")
def begin():
    """Return a function that begins a cohort and stops when the first step is done."""

    def _stop(done: int, total: int) -> None:
        if done:
            raise StoppedError

    def _begin(config: SimulateConfig, out: Path, **settings) -> None:
        with pytest.raises(StoppedError):
            simulate_cohort(config, out, progress=_stop, **settings)

    return _begin


@pytest.fixture(scope="session")
def visible_names():
    """Return a function that gives the names of what lies in a folder, hidden files left out."""
    return lambda folder: {p.name for p in folder.iterdir() if not p.name.startswith(".")}


@pytest.fixture(scope="session")
def hidden():
    """Return a function that gives the texts which betray a cohort's truth."""

    def _hidden(truth: Truth) -> list[bytes]:
        numbers = [
            value
            for p in truth.patients
            for value in (p.risk, p.risk_image, p.risk_clinical, p.risk_population,
                          p.infarct.volume_ml, *(s.uptake for s in p.scans))
        ]  # fmt: skip
        words = [p.infarct.territory for p in truth.patients if p.infarct.territory != "pons"]
        return [f"{n:.6g}".encode() for n in numbers] + [w.encode() for w in words if len(w) > 3]

    return _hidden

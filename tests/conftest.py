"""Fixtures shared by all tests: where the real data lie, and where pictures to look at go."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# A busy machine is no failure. Continuous integration tries the same examples every time.
settings.register_profile("steady", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one room in one process: they share what was costly to make."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real scans, or skip: the project ships none."""
    folder = Path(os.environ.get("HEMOCAST_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real test data: set HEMOCAST_TEST_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def unpack(data_dir: Path, tmp_path_factory: pytest.TempPathFactory):
    """Return a function that unpacks one of the real zips and gives its folder."""
    done: dict[str, Path] = {}

    def _unpack(name: str) -> Path:
        if name not in done:
            archive = data_dir / f"{name}.zip"
            if not archive.is_file():
                pytest.skip(f"{archive.name} is not in the folder of real test data")
            folder = tmp_path_factory.mktemp(name)
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
            done[name] = folder
        return done[name]

    return _unpack


@pytest.fixture(scope="session")
def ge_head(unpack) -> Path:
    """Return the real tilted GE head, 28 DICOM files."""
    return unpack("ge_head_tilted")


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Return the folder for pictures that tests leave to be looked at (ignored by git)."""
    folder = ROOT / "tests" / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder

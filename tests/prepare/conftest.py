"""The real head, and a made-up head whose brain is a known function of place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.anatomy import Brain, find_brain
from hemocast.dicom import read
from hemocast.simulate import render_head
from hemocast.volume import Volume


@pytest.fixture(scope="session")
def ge_volume(ge_head: Path) -> Volume:
    return read(ge_head)


@pytest.fixture(scope="session")
def ge_brain(ge_volume: Volume) -> Brain:
    return find_brain(ge_volume)


@pytest.fixture(scope="session")
def plain() -> Volume:
    """Return a simulated head without an infarct."""
    return render_head(4)

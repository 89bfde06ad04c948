"""The real head, and a made-up head whose brain is a known function of place."""

from __future__ import annotations

import pytest

from hemocast.simulate import render_head
from hemocast.volume import Volume


@pytest.fixture(scope="session")
def plain() -> Volume:
    """Return a simulated head without an infarct."""
    return render_head(4)

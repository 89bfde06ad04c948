"""What ``import hemocast`` gives, and that it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hemocast


def test_the_public_names_are_listed_and_there() -> None:
    assert set(dir(hemocast)) == {
        "Dataset", "Model", "Prediction", "Volume", "load", "read", "__version__",
    }  # fmt: skip
    for name in dir(hemocast):
        assert getattr(hemocast, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        hemocast.predict  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, hemocast; print('numpy' in sys.modules, hemocast.Volume.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "Volume"]

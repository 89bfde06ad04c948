"""One labelled head that the tests of its room bleed, open and scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hemocast.simulate import Infarct, Person, Stroke, build_head
from hemocast.simulate.randomised.heads import LabelledHead, label_head


@pytest.fixture(scope="session")
def labelled() -> LabelledHead:
    stroke = Stroke(Infarct("MCA", "left", 60.0), hyperdense=True)
    return label_head(build_head(np.random.default_rng(3), Person(75), stroke))


@pytest.fixture
def copied(labelled: LabelledHead) -> Callable[[], LabelledHead]:
    """Return a function that gives a copy which may be changed."""
    return lambda: replace(labelled, code=labelled.code.copy())

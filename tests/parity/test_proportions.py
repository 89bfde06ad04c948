"""Intervals of proportions against R."""

import pytest

from hemocast.stats import clopper_pearson, wilson


def test_as_r_gives_them(proc: dict) -> None:
    assert tuple(wilson(29, 41)) == pytest.approx(proc["wilson_29_41"], rel=1e-6)
    assert tuple(clopper_pearson(29, 41)) == pytest.approx(proc["clopper_29_41"], rel=1e-6)

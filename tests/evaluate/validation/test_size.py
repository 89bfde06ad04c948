"""Patients there are against patients needed."""

from __future__ import annotations

import pytest

from hemocast.errors import StatisticsError
from hemocast.evaluate.validation.size import Expected, check_size
from hemocast.stats import logits_from_c, validation_size


def test_patients_are_enough_when_both_they_and_those_with_ht_are() -> None:
    expected = Expected(0.8, 0.1)
    needed = validation_size(0.1, 0.8, *logits_from_c(0.8, 0.1))
    enough = check_size(expected, needed.required, round(needed.events) + 1)
    assert enough.needed == needed
    assert enough.enough
    assert not check_size(expected, needed.required - 1, 10_000).enough
    assert not check_size(expected, needed.required, 20).enough


def test_what_cannot_be_expected_is_refused() -> None:
    with pytest.raises(StatisticsError):
        check_size(Expected(0.4, 0.1), 100, 10)

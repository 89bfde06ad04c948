from __future__ import annotations

from dataclasses import replace

import pytest

from hemocast.deliver import Analysed, Refused, Result
from hemocast.errors import BloodPresent


def test_a_result_without_a_header_is_nobodys(result: Result) -> None:
    for wrong in ({"headers": ()}, {"revision": 0}):
        with pytest.raises(ValueError, match="header and a revision"):
            replace(result, **wrong)


def test_an_error_is_told_as_it_is() -> None:
    told = Refused.of(BloodPresent("Blood is seen", "a scan without", "Use an earlier scan"))
    assert (told.code, told.seen, told.action) == ("HC303", "Blood is seen", "Use an earlier scan")


def test_sides_are_known_only_where_the_scan_and_its_signs_know_them(result: Result) -> None:
    answer = result.answer
    assert isinstance(answer, Analysed)
    assert answer.sides_known
    one = answer.prediction
    record = replace(one.stack.record, sides_known=False)
    turned = replace(one, stack=replace(one.stack, record=record))
    assert not replace(answer, prediction=turned).sides_known


def test_a_result_tells_nothing_when_it_is_printed(result: Result) -> None:
    assert "0042" not in f"{result!r}{result.answer!r}"

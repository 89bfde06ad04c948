from __future__ import annotations

import pytest

from hemocast.errors import TableError
from hemocast.pipeline.study.records import EstimateRecord
from hemocast.pipeline.study.words import cell_words, estimate_words, listed, plural, share


def test_words() -> None:
    assert plural(1, "scan") == "1 scan"
    assert plural(1200, "study", "studies") == "1,200 studies"
    assert share(1, 4) == "1 (25.0 %)"
    assert listed({"a": 1, "b": 3}) == "b (3), a (1)"
    assert listed({str(i): 1 for i in range(10)}).endswith(" and 2 more")


def test_an_estimate_says_what_it_lacks() -> None:
    known = EstimateRecord(value=-0.5, ci_low=-1, ci_high=0.25, ci_method="Wald", n=3)
    assert estimate_words(known) == "\N{MINUS SIGN}0.500 (\N{MINUS SIGN}1.000 to 0.250)"
    assert estimate_words(known.model_copy(update={"ci_low": None})).endswith("(no interval)")
    assert estimate_words(known.model_copy(update={"ci_high": None})).endswith("to infinite)")
    assert estimate_words(known.model_copy(update={"value": None})) == "undefined"


def test_a_row_says_its_value_as_json_does() -> None:
    row = {"value": "-0.5", "ci_low": "-1", "ci_high": "0.25"}
    assert cell_words(row) == "\N{MINUS SIGN}0.500 (\N{MINUS SIGN}1.000 to 0.250)"
    assert cell_words(row | {"ci_high": ""}) == "\N{MINUS SIGN}0.500"
    assert cell_words({"value": "", "ci_low": "", "ci_high": ""}) == "undefined"
    with pytest.raises(TableError, match="a number belongs"):
        cell_words(row | {"value": "high"})

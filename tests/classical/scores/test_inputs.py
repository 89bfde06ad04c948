"""Every input has a unit that nobody can mistake, and values survive their units."""

from __future__ import annotations

import pytest

from hemocast.classical.scores.inputs import INPUTS, OTHER_NAMES, in_unit, known_units


@pytest.mark.parametrize("mg_dl", [100, 125, 144, 150, 180, 200, 216, 217])
def test_a_value_in_mg_dl_is_itself_after_both_conversions(mg_dl: int) -> None:
    other = next(one for one in OTHER_NAMES if one.column.name == "glucose_mg_dl")
    assert in_unit(other.name, mg_dl * other.factor, "mg/dL") == mg_dl


def test_sedan_gap_falls_where_its_own_table_in_mg_dl_puts_it() -> None:
    other = next(one for one in OTHER_NAMES if one.column.name == "glucose_mg_dl")
    assert in_unit(other.name, 144 * other.factor, None) <= 8.0
    assert 8.0 < in_unit(other.name, 145 * other.factor, None) < 8.1
    assert in_unit(other.name, 216 * other.factor, None) <= 12.0


def test_only_glucose_is_counted_in_two_units() -> None:
    assert [name for name in INPUTS if len(tuple(known_units(name))) > 1] == ["glucose_mmol_l"]


def test_flags_and_choices_have_words_and_numbers_have_none() -> None:
    assert INPUTS["diabetes"].words == ("no", "yes")
    assert INPUTS["statin"].words == ("none", "low", "medium", "high")
    assert INPUTS["nihss"].is_number
    assert {name for name, one in INPUTS.items() if one.sign} == {
        "early_infarct_signs", "dense_artery", "hypodensity", "aspects", "territory",
    }  # fmt: skip

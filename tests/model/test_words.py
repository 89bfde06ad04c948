"""One source of what the card and a study's methods say of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hemocast.model import Change, load_default, words
from hemocast.model.card import card
from hemocast.model.schema import Description
from hemocast.pipeline.study.methods import methods_of
from hemocast.pipeline.study.records import Records


@pytest.fixture(scope="module")
def says() -> Description:
    return load_default().description


def test_card_and_methods_say_the_same(says: Description) -> None:
    told = {one.key: one.text for one in methods_of(Records(model=says))}
    of_card = " ".join(card(says, says.network).split())
    for key, say in (
        ("purpose", words.purpose(says)),
        ("preparation", words.preparation(says)),
        ("inputs", words.inputs(says)),
        ("network", words.network(says, says.network)),
        ("calibration", words.calibration(says)),
        ("output", words.threshold(says)),
        ("refusals", words.unlike(says)),
        ("heatmap", words.heatmap(says, says.network)),
    ):
        assert say, key
        assert say in told[key]
        assert say in of_card


def test_it_is_said_who_gave_the_calibration(says: Description) -> None:
    """The card of the demonstration model said that an epoch was picked on its patients."""
    assert "each predicted out of fold" in words.calibration(says)
    held_out = replace(says.calibration, n_patients=90)
    inner = says.model_copy(update={"calibration": held_out})
    assert "who also picked the training epoch" in words.calibration(inner)
    moved = inner.model_copy(update={"recalibrated": Change.KEPT})
    assert "of the place that it was recalibrated for" in words.calibration(moved)


def test_a_threshold_chosen_for_a_sensitivity_says_so(says: Description) -> None:
    chosen = replace(says.calibration, sensitivity=0.9)
    changed = says.model_copy(update={"calibration": chosen})
    assert "chosen for a sensitivity of 90 %" in words.threshold(changed)


def test_a_model_told_no_clinical_values_says_nothing_of_missing_ones(says: Description) -> None:
    assert words.missing(says) == ""

"""The card says what the model is, in words, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from hemocast.config import NetConfig
from hemocast.model import LabelSets
from hemocast.model.card import card
from hemocast.model.schema import parse


def words_of(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def description(folder):
    return parse((folder / "model.yaml").read_bytes())


def test_it_names_purpose_data_input_and_layers(description) -> None:
    text = words_of(card(description, description.network))
    for said in (
        "# tiny 0.1",
        "HT on a simulated follow-up scan",
        "In: simulated patients",
        "100 simulated scans (simulator version 2), of 80 patients, 40.0 % of them",
        "10 to 50 HU became 0 to 1",
        "the network ctnet3d (`hemocast.nets.ctnet:CTNet` of hemocast",
        "class activation map, per frame",
        "- `head: Linear(in_features=16, out_features=1, bias=True)`",
        "no medical device",
        "became a probability by a logistic curve",
        "that of this curve, of the mean risk of all patients with this score",
        "Label sets: none.",
        "told by brightness, spread and extent of the brain alone",
    ):
        assert said in text, said


def test_it_says_how_the_label_sets_were_made(description) -> None:
    sets = LabelSets(0.9, zero_to=1.0, one_from=-1.0, n_without=24, n_with=23)
    able = replace(description.calibration, label_sets=sets)
    changed = description.model_copy(update={"calibration": able})
    text = words_of(card(changed, description.network))
    assert "90 % of the patients of each class" in text
    assert "on 23 patients with HT and 24 without" in text


def test_a_model_that_names_no_simulator_is_of_the_first(description) -> None:
    old = description.model_copy(update={"simulator": None})
    assert "simulated scans (simulator version 1)" in words_of(card(old, description.network))


def test_a_changed_network_and_one_picture_are_said(description) -> None:
    grid = description.network.grid.model_copy(update={"step": (4.0, 4.0), "origin": (0.0, 0.0)})
    facts = description.network.model_copy(
        update={"changed": True, "grid": grid, "distribution": None, "distribution_version": None}
    )
    other = description.model_copy(
        update={"net": NetConfig(name="a.b:C"), "simulated_training_data": False}
    )
    text = card(other, facts, "  ## Results\nAUC .5\n\n")
    said = words_of(text)
    assert "the network a.b:C (`hemocast.nets.ctnet:CTNet`) with" in said
    assert "changed since it was built" in said
    assert "one picture for all frames" in said
    assert "scans of patients, of" in said
    assert text.endswith("## Results\nAUC .5\n")


def test_the_demonstration_models_card_says_how_it_was_calibrated() -> None:
    shipped = (resources.files("hemocast") / "assets" / "demo_model" / "card.md").read_text("utf-8")
    assert "each predicted out of fold" in shipped
    assert "picked the training epoch" not in shipped

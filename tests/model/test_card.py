"""The card says what the model is, in words, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hemocast.config import NetConfig
from hemocast.model import LabelSets
from hemocast.model.card import card
from hemocast.model.schema import parse


@pytest.fixture(scope="module")
def description(folder):
    return parse((folder / "model.yaml").read_bytes())


def test_it_names_purpose_data_input_and_layers(description) -> None:
    text = card(description, description.network, "")
    for said in (
        "# tiny 0.1",
        "HT on a simulated follow-up scan",
        "In: simulated patients",
        "Simulated (simulator version 2) scans: 100 of 80 patients, 40% of them",
        "window 10 to\n  50 HU",
        "`ctnet3d`, `hemocast.nets.ctnet:CTNet` of hemocast",
        "class activation map, per frame",
        "- `head: Linear(in_features=8, out_features=1, bias=True)`",
        "not a medical device",
        "Probability: logistic calibration",
        "that of the calibration\n  curve, of the mean risk of all patients with this score",
        "Label sets: none.",
        "told by brightness, spread and extent of the brain alone",
    ):
        assert said in text, said


def test_it_says_how_the_label_sets_were_made(description) -> None:
    sets = LabelSets(0.9, zero_to=1.0, one_from=-1.0, n_without=24, n_with=23)
    able = replace(description.calibration, label_sets=sets)
    text = card(description.model_copy(update={"calibration": able}), description.network, "")
    assert "90% of the patients of each class" in text
    assert "on 23 patients with HT and 24 without" in text


def test_a_model_that_names_no_simulator_is_of_the_first(description) -> None:
    old = description.model_copy(update={"simulator": None})
    assert "Simulated (simulator version 1) scans" in card(old, description.network, "")


def test_a_changed_network_and_one_picture_are_said(description) -> None:
    grid = description.network.grid.model_copy(update={"step": (4.0, 4.0), "origin": (0.0, 0.0)})
    facts = description.network.model_copy(
        update={"changed": True, "grid": grid, "distribution": None, "distribution_version": None}
    )
    other = description.model_copy(
        update={"net": NetConfig(name="a.b:C"), "simulated_training_data": False}
    )
    text = card(other, facts, "  ## Results\nAUC .5\n\n")
    assert "`hemocast.nets.ctnet:CTNet`, **changed since it was built** as `a.b:C`" in text
    assert "one picture for all frames" in text
    assert "Patients' scans" in text
    assert text.endswith("## Results\nAUC .5\n")

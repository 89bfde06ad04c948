import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.report.figures.inline import (
    calibration_figure,
    confusion_figure,
    risk_figure,
    roc_figure,
    training_figure,
)
from hemocast.stats import Confusion


@pytest.fixture(scope="module")
def figures() -> dict[str, str]:
    return draw()


def draw() -> dict[str, str]:
    rng = np.random.default_rng(0)
    label = rng.random(60) < 0.5
    risk = rng.random(60)
    return {
        "roc": roc_figure(label, risk, np.arange(60), threshold=0.4, true_risk=risk**2),
        "confusion": confusion_figure(Confusion(22, 13, 28, 11)),
        "risk": risk_figure(label, risk, threshold=0.4),
        "calibration": calibration_figure(label, risk),
        "training": training_figure([1, 0.5, 0.4], [1, 0.7, 0.8], [0.5, np.nan, 0.8], best_epoch=2),
    }


def test_the_same_numbers_give_the_same_bytes(figures: dict[str, str]) -> None:
    assert draw() == figures


def test_they_are_whole_described_and_without_style_of_their_own(figures: dict[str, str]) -> None:
    for name, text in figures.items():
        root = ET.fromstring(text)  # noqa: S314 - our own
        assert root.attrib["aria-label"], name
        assert root.attrib["role"] == "img"
        assert "style=" not in text, name
        assert "<style" not in text, name
        assert not re.search(r"<script|<metadata", text), name


def test_their_identifiers_do_not_meet_and_all_lead_somewhere(figures: dict[str, str]) -> None:
    seen: set[str] = set()
    for text in figures.values():
        here = set(re.findall(r' id="([^"]+)"', text))
        assert not here & seen
        seen |= here
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) != set()
        for pair in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text):
            assert "".join(pair) in here


def test_what_they_say_aloud(figures: dict[str, str]) -> None:
    assert "22 true positive, 11 false negative, 28 true negative" in figures["confusion"]
    assert "epoch 2 was kept" in figures["training"]
    assert "true risk (ceiling)" in figures["roc"]


def test_without_a_true_risk_there_is_no_ceiling() -> None:
    text = roc_figure([0, 1, 0, 1], [0.1, 0.9, 0.6, 0.4], range(4), threshold=0.5)
    assert "ceiling" not in text


def test_one_class_has_no_roc() -> None:
    with pytest.raises(StatisticsError):
        roc_figure([1, 1], [0.1, 0.9], range(2), threshold=0.5)


def test_an_empty_class_leaves_an_empty_row() -> None:
    assert "0 true positive" in confusion_figure(Confusion(0, 2, 3, 0))


def test_fewer_scans_than_groups() -> None:
    assert calibration_figure([0, 1, 1], [0.2, 0.5, 0.9]).count("<path") > 5

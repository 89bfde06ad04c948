"""A drawing's files, and the same figure within a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from hemocast.report.figures.confusion import ConfusionPanel, confusion_figure
from hemocast.report.figures.drawing import Drawing, drawing_files
from hemocast.report.figures.training import training_figure
from hemocast.stats import Confusion
from hemocast.train import EpochRecord


def drawings() -> tuple[Drawing, ...]:
    history = (EpochRecord(1, 0.7, 0.6, 0.5, True), EpochRecord(2, 0.5, 0.7, 0.6, False))
    panel = ConfusionPanel("model", Confusion(22, 13, 28, 11))
    return (
        Drawing("confusion", confusion_figure([panel]), 'Cells, "quoted" & <b>'),
        Drawing("training", training_figure(history, 1), "How it went", title="Training"),
    )


@pytest.fixture(scope="module")
def drawn() -> tuple[Drawing, ...]:
    return drawings()


def test_the_same_numbers_give_the_same_bytes(drawn: tuple[Drawing, ...]) -> None:
    assert drawing_files(drawings()) == drawing_files(drawn)


def test_files_are_svg_and_png_of_300_dpi(drawn: tuple[Drawing, ...]) -> None:
    files = drawing_files(drawn)
    assert [*files] == [
        "figures/confusion.svg", "figures/confusion.png",
        "figures/training.svg", "figures/training.png",
    ]  # fmt: skip
    png = files["figures/training.png"]
    assert isinstance(png, bytes)
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20], "big")
    assert width == round(300 * drawn[1].figure.get_size_inches()[0])


def test_within_a_page_they_are_described_and_without_style_of_their_own(
    drawn: tuple[Drawing, ...],
) -> None:
    for drawing in drawn:
        root = ET.fromstring(str(drawing.inline))  # noqa: S314 - our own
        assert root.attrib["aria-label"] == (drawing.title or drawing.caption)
        assert root.attrib["role"] == "img"
        assert "style=" not in drawing.inline
        assert not re.search(r"<script|<metadata|<style", drawing.inline)


def test_their_identifiers_do_not_meet_and_all_lead_somewhere(drawn: tuple[Drawing, ...]) -> None:
    seen: set[str] = set()
    for drawing in drawn:
        here = set(re.findall(r' id="([^"]+)"', drawing.inline))
        assert here
        assert not here & seen
        seen |= here
        for pair in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', drawing.inline):
            assert "".join(pair) in here

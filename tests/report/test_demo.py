"""The demonstration's page: what it must say, and that nothing in it is anything but text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hemocast.report.demo import DemoResult, demo_page


class Tags(HTMLParser):
    """Tags, attributes and text as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(demo: DemoResult, artefacts: Path, html_faults: Callable[[str], list[str]]) -> Tags:
    """Return the page, which stays to be looked at."""
    text = demo_page(demo)
    assert html_faults(text) == []
    (artefacts / "demo.html").write_text(text, encoding="utf-8")
    return Tags(text)


def test_it_says_simulated_what_was_chosen_and_what_came_out(demo: DemoResult, page: Tags) -> None:
    model, ceiling = (part["auc"] for part in demo.evaluation.models)
    for said in (
        "SIMULATED: every head, lesion and outcome on this page was made by a program",
        "lesions 4 to 9 HU darker",
        "11; not picked",
        f"{model.value:.2f} AUC",
        f"95 % CI {model.ci_low:.2f} to {model.ci_high:.2f}, DeLong",
        f"simulated: {ceiling.value:.2f} ({ceiling.ci_low:.2f} to {ceiling.ci_high:.2f})",
        "The model minus the true risk: \N{MINUS SIGN}0.",
        "Patients in more than one part: 0",
        "d" * 64,
        "4 scans refused: 4 HC303",
        "62 patients for test, 27 of them with HT; 74 scans",
        "Macro-F1",
        "What this does not show",
        "HT, missed",
        "the simulated lesion",
        "True risk35 %, as simulated",
        "41.2 s",
    ):
        assert said in page.text, said
    assert page.text.count("SIMULATED") >= 5


def test_its_figures_are_those_of_the_evaluation_and_the_training_curve(page: Tags) -> None:
    said = [a["aria-label"] or "" for tag, a in page.tags if tag == "svg" and "aria-label" in a]
    for start in ("ROC curves", "Confusion matrices", "Calibration of our", "Decision", "Training"):
        assert any(text.startswith(start) for text in said), start
    assert not any(text.startswith("Calibration of True risk") for text in said)


def test_every_example_has_its_viewer_and_every_identifier_is_unique(page: Tags) -> None:
    viewers = [a["data-viewer"] for _, a in page.tags if "data-viewer" in a]
    assert viewers == ["new", "scan1", "scan2"]
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name)
            own = ("data:image/png;base64,", "#", "evaluation/report.html")
            assert value is None or value.startswith(own), tag


def test_a_miss_is_marked_as_one(demo: DemoResult) -> None:
    foreseen, missed = demo.examples
    assert missed.missed
    assert not foreseen.missed
    assert replace(foreseen, label=1).missed
    assert not demo.new_scan.missed


def test_hostile_text_is_only_text(demo: DemoResult, hostile: str) -> None:
    example = replace(demo.examples[0], title=hostile, explanation=hostile)
    bad = replace(
        demo,
        simulated=((hostile, hostile),),
        refused=((hostile, 1),),
        parts=(replace(demo.parts[0], name=hostile),),
        split_hash=hostile,
        examples=(example,),
        new_scan=example,
        new_source=replace(demo.new_source, corrected=(hostile,)),
        model=((hostile, hostile),),
        seconds=((hostile, 1.0),),
    )
    tags = [tag for tag, _ in Tags(demo_page(bad)).tags]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "b" not in tags


def test_the_same_result_gives_the_same_page(demo: DemoResult) -> None:
    assert demo_page(demo) == demo_page(demo)

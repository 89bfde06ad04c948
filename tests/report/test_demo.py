import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from hemocast.report import DemoResult, write_demo_page
from hemocast.stats import evaluate


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def write(result: DemoResult, folder: Path) -> Tags:
    write_demo_page(result, folder / "report.html")
    return parse(folder / "report.html")


def parse(path: Path) -> Tags:
    reader = Tags()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.text = re.sub(r"\s+", " ", reader.text)
    return reader


@pytest.fixture(scope="module")
def page(demo: DemoResult, artefacts: Path) -> Tags:
    """Return the page, which stays to be looked at."""
    write_demo_page(demo, artefacts / "demo.html")
    return parse(artefacts / "demo.html")


def test_it_says_simulated_what_was_chosen_and_what_came_out(demo: DemoResult, page: Tags) -> None:
    auc = demo.evaluation["auc"]
    for said in (
        "SIMULATED: every head, lesion and outcome on this page was made by a program",
        "lesions 4 to 9 HU darker",
        "11; not picked for its result",
        "chosen, far above practice",
        f"{auc.value:.2f} AUC",
        f"95 % CI {auc.ci_low:.2f} to {auc.ci_high:.2f}",
        "the AUC of the true risk",
        "The model stays",
        "Patients in more than one part: 0",
        "d" * 64,
        "4: HC303 the scan already shows blood",
        "62 patients for test, 27 of them with HT; 74 scans",
        "Macro-F1",
        "What this does not show",
        "HT, missed",
        "the simulated lesion",
        "41.2 s",
    ):
        assert said in page.text, said
    assert page.text.count("SIMULATED") >= 5


def test_every_example_has_its_viewer_and_every_identifier_is_unique(page: Tags) -> None:
    viewers = [a["data-viewer"] for _, a in page.tags if "data-viewer" in a]
    assert viewers == ["new", "example1", "example2"]
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    for tag, attributes in page.tags:
        assert "style" not in attributes, tag
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/png;base64,", "#")), tag


def test_a_miss_is_marked_as_one(demo: DemoResult) -> None:
    foreseen, missed = demo.examples
    assert missed.missed
    assert replace(foreseen, label=0, prediction=missed.prediction).missed is False
    assert demo.new_scan.missed is False


def test_hostile_text_is_only_text(demo: DemoResult, hostile: str, tmp_path: Path) -> None:
    example = replace(demo.examples[0], title=hostile, explanation=hostile)
    bad = replace(
        demo,
        cohort=replace(demo.cohort, visibility=hostile, settings=((hostile, hostile),)),
        refused=((hostile, 1),),
        parts=(replace(demo.parts[0], name=hostile),),
        split_hash=hostile,
        examples=(example,),
        new_scan=example,
        new_source=replace(demo.new_source, corrected=(hostile,)),
        model_settings=((hostile, hostile),),
        seconds=((hostile, 1.0),),
        limits=(hostile,),
    )
    tags = [tag for tag, _ in write(bad, tmp_path).tags]
    assert tags.count("script") == 1
    assert "img" not in tags


def test_undefined_numbers_are_said_to_be(demo: DemoResult, tmp_path: Path) -> None:
    nobody = evaluate(demo.label, demo.probability * 0.4, demo.patient, 0.45, n_resamples=100)
    assert np.isnan(nobody["ppv"].value)
    page = write(replace(demo, evaluation=nobody), tmp_path)
    assert "Undefined: no case was called positive." in page.text
    assert "nan" not in page.text


def test_a_model_at_the_ceiling(demo: DemoResult, tmp_path: Path) -> None:
    evaluation = evaluate(demo.label, demo.true_risk, demo.patient, 0.48, n_resamples=100)
    best = replace(demo, probability=demo.true_risk, evaluation=evaluation)
    assert "reaches the ceiling" in write(best, tmp_path).text


def test_the_same_result_gives_the_same_page(
    demo: DemoResult, page: Tags, artefacts: Path, tmp_path: Path
) -> None:
    assert page.text
    write_demo_page(demo, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (artefacts / "demo.html").read_bytes()


def test_the_room_has_no_other_names() -> None:
    import hemocast.report

    with pytest.raises(AttributeError):
        hemocast.report.nothing  # noqa: B018

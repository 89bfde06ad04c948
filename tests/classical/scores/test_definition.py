"""What a score's file may say, and that all that come with Hemocast say it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from hemocast.classical.scores import all_scores, apply, facts_of, load_score

DOCS = Path(__file__).parents[3] / "docs"
BLEEDING = {"HAT", "SEDAN", "SITS-SICH", "GRASPS", "SPAN-100", "MSS", "HTI", "RICH", "TAG"}
FUNCTION = {"DRAGON", "THRIVE", "ASTRAL", "iScore"}
EXAMPLES = [(s.name, i) for s in all_scores().values() for i in range(len(s.examples))]
SMALL = {
    "name": "X", "title": "X", "predicts": "bleeding", "outcome": "o", "horizon": "h",
    "population": "p", "treatment": "any", "range": [0, 2],
    "sources": {"a": {"cite": "A", "read": "b"}},
    "items": [
        {"name": "i", "source": "a",
         "parts": [{"input": "nihss", "bands": [{"up_to": 5, "points": 0}, {"points": 2}]}]}
    ],
    "risks": [{"outcome": "o", "source": "a", "steps": [{"points": [0, 2], "percent": 3}]}],
    "examples": [{"given": {"nihss": 6}, "points": 2}],
}  # fmt: skip


def test_all_scores_are_there_and_say_what_they_predict() -> None:
    found = all_scores()
    assert {name for name, score in found.items() if score.predicts == "bleeding"} == BLEEDING
    assert {name for name, score in found.items() if score.predicts == "function"} == FUNCTION
    assert all(s.population and s.outcome and s.horizon for s in found.values())


@pytest.mark.parametrize(("name", "at"), EXAMPLES)
def test_worked_examples(name: str, at: int) -> None:
    score = all_scores()[name]
    example = score.examples[at]
    found = apply(score, facts_of(example.given))
    assert found.points == found.low == found.high == example.points
    if example.percent is not None:
        assert found.risk is not None
        assert found.risk.value == pytest.approx(example.percent / 100, abs=0.0005)


def test_published_ranges() -> None:
    published = {
        "HAT": (0, 5), "SEDAN": (0, 6), "SITS-SICH": (0, 12), "GRASPS": (45, 101), "MSS": (0, 4),
        "HTI": (0, 8), "DRAGON": (0, 10), "THRIVE": (0, 9),
    }  # fmt: skip
    assert {name: all_scores()[name].range for name in published} == published


def _with(path: str, value: object) -> str:
    content = yaml.safe_load(yaml.safe_dump(SMALL))
    *way, last = path.split(".")
    place = content
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    return yaml.safe_dump(content)


def test_a_small_score_loads() -> None:
    assert load_score(yaml.safe_dump(SMALL)).inputs == ("nihss",)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("range", [0, 3], "add up to the range"),
        ("colour", "red", "Extra inputs"),
        ("sources", {"a": {"cite": "A", "read": "b"}, "b": {"cite": "B", "read": "b"}}, "be cited"),
        ("items.0.parts.0.input", "shoe_size", "no input"),
        ("items.0.parts.0.unit", "mg/dL", "no unit of nihss"),
        ("items.0.parts.0.per", 1, "words, bands or per"),
        ("items.0.parts.0.bands", [{"up_to": 5, "points": 0}], "the last band has none"),
        ("items.0.parts.0.bands.0", {"up_to": 5, "below": 6, "points": 0}, "not both"),
        ("items.0.parts.0", {"input": "nihss", "words": {"no": 0, "yes": 2}}, "numbers have"),
        ("items.0.parts.0", {"input": "diabetes", "words": {"no": 0}}, "words must be no, yes"),
        ("risks.0.steps.0.points", [0, 3], "points that cannot be"),
        ("risks.0.steps.0.below_percent", 3, "percent, below_percent or quadratic"),
        ("examples", [], "at least 1"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_refused(path: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        load_score(_with(path, value))


def test_every_point_has_a_source_and_what_is_not_certain_says_so() -> None:
    for score in all_scores().values():
        for line in (*score.items, *score.risks):
            assert score.sources[line.source].cite
    unsure = {name for name, s in all_scores().items() if any(i.unconfirmed for i in s.items)}
    assert unsure == {"SITS-SICH", "TAG", "iScore"}


def test_the_page_shows_the_tables_as_they_are() -> None:
    spec = importlib.util.spec_from_file_location("draw_scores", DOCS / "draw_scores.py")
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    page = (DOCS / "reference" / "scores.md").read_text(encoding="utf-8")
    assert drawing.tables() in page, "run: python docs/draw_scores.py"
    for name in ("IST-3", "Stroke-TPI", "ASIAN", "HeRS", "TURN", "MRI"):
        assert name in page.split("## Not supported")[1].split("## Inputs")[0]

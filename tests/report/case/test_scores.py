"""Published scores on a page: points, ranges where something is missing, and whom each is for."""

from __future__ import annotations

from hemocast.classical.scores import Result, all_scores, apply, facts_of
from hemocast.report.case.scores import ScoreRow, view_scores
from hemocast.report.language import ENGLISH, language

KNOWN = {
    "glucose_mg_dl": 210, "nihss": 17, "hypodensity": "below_third", "diabetes": True,
    "treatment": "thrombolytic", "age": 70,
}  # fmt: skip


def results(values: dict[str, object]) -> tuple[Result, ...]:
    facts = facts_of(values)
    return tuple(apply(s, facts) for s in all_scores().values() if s.predicts == "bleeding")


def rows(view) -> dict[str, ScoreRow]:
    return {row.name: row for group in view.groups.values() for row in group}


def population(view, name: str) -> str:
    (found,) = (whom for whom, group in view.groups.items() if name in {row.name for row in group})
    return found


def test_known_points_have_their_published_risk() -> None:
    found = results(KNOWN)
    view = view_scores(found, ENGLISH)
    by_name = rows(view)
    (hat,) = (one for one in found if one.score.name == "HAT")
    assert by_name["HAT"].points == f"{hat.points} of 5" == "3 of 5"
    assert by_name["HAT"].risk == ENGLISH.percent(hat.risk.value)
    assert population(view, "HAT") == "acute ischemic stroke, intravenous thrombolysis"
    assert by_name["HAT"].missing == ""


def test_a_range_stands_where_something_is_missing() -> None:
    values = {name: value for name, value in KNOWN.items() if name != "hypodensity"}
    view = view_scores(results(values), ENGLISH)
    hat = rows(view)["HAT"]
    assert hat.points == "2 to 4 of 5"
    assert " to " in hat.risk
    assert hat.missing == "hypodensity on CT, of the territory of the middle cerebral artery"
    assert "TAG" in view.others


def test_a_patient_whom_a_score_is_not_for_is_told() -> None:
    view = view_scores(results(KNOWN | {"treatment": "none"}), ENGLISH)
    assert population(view, "HAT").endswith("; this patient is none of them")
    unknown = {name: value for name, value in KNOWN.items() if name != "treatment"}
    assert population(view_scores(results(unknown), ENGLISH), "HAT").endswith("is not known")


def test_all_words_are_there_in_chinese() -> None:
    """Of every score for bleeding: outcome, population and what can be missing."""
    chinese = language("zh")
    for values in (KNOWN, {"nihss": 10}, KNOWN | {"treatment": "none"}):
        view = view_scores(results(values), chinese)
        for row in rows(view).values():
            whom = population(view, row.name)
            said = f"{row.points}{row.risk}{row.outcome}{whom}{row.missing}"
            for word in ("hemorrhage", "stroke", "admission", "patient", "published", " of "):
                assert word not in said, said


def test_without_a_table_there_is_nothing() -> None:
    assert view_scores((), ENGLISH) is None

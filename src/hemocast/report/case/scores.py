"""Published scores of the patient in the words of a page, each with whom it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hemocast.classical.scores import Result
from hemocast.classical.scores.inputs import INPUTS
from hemocast.report.language import Language

_NARROW = 0.5
"""Share of all points of a score that a range may span to be shown."""


@dataclass(frozen=True)
class ScoreRow:
    """One score.

    Parameters
    ----------
    name, points, risk, outcome, missing : str
        In the language of the page.
    """

    name: str
    points: str
    risk: str
    outcome: str
    missing: str


@dataclass(frozen=True)
class ScoresView:
    """All scores.

    Parameters
    ----------
    groups : mapping of str to list of ScoreRow
        Whom scores are for, and whether the patient is one of them -> those of which enough is
        known.
    others : str
        Names of those of which it is not.
    """

    groups: Mapping[str, list[ScoreRow]]
    others: str


def view_scores(results: Sequence[Result], language: Language) -> ScoresView | None:
    """Put scores into words; None without any.

    Parameters
    ----------
    results : sequence of Result
        Of one patient.
    language : Language
    """
    if not results:
        return None
    shown = [one for one in results if _is_narrow(one)]
    others = [one.score.name for one in results if one not in shown]
    groups: dict[str, list[ScoreRow]] = {}
    for one in shown:
        whom = language.told(one.score.population) + _membership(one, language)
        groups.setdefault(whom, []).append(_row(one, language))
    return ScoresView(groups, language.comma.join(others))


def _is_narrow(one: Result) -> bool:
    fewest, most = one.score.range
    return one.points is not None or one.high - one.low <= _NARROW * (most - fewest)


def _row(one: Result, language: Language) -> ScoreRow:
    say, told = language.say, language.told
    fewest, most = one.score.range
    points = str(one.points)
    if one.low < one.high:
        ends = say("%(low)s to %(high)s", low=one.low, high=one.high)
        points = ends if one.points is None else f"{points} ({ends})"
    return ScoreRow(
        name=one.score.name,
        points=say("%(points)s of %(most)s", points=points, most=most)
        if fewest == 0
        else say("%(points)s (scale %(fewest)s to %(most)s)",
                 points=points, fewest=fewest, most=most),
        risk=_risk(one, language),
        outcome=told(one.risk.outcome if one.risk else one.score.outcome),
        missing=language.comma.join(told(INPUTS[name].meaning) for name in one.missing),
    )  # fmt: skip


def _risk(one: Result, language: Language) -> str:
    risk = one.risk
    if risk is None or risk.low is None or risk.high is None:
        return language.say("none published")
    low, high = language.percent(risk.low), language.percent(risk.high)
    return low if low == high else language.say("%(low)s to %(high)s", low=low, high=high)


def _membership(one: Result, language: Language) -> str:
    """Say where the patient is none of those whom the score is for, or may be none."""
    codes = {note.code for note in one.notes}
    if "outside_population" in codes:
        return language.semicolon + language.say("this patient is none of them")
    if "population_unknown" in codes:
        return language.semicolon + language.say("whether this patient is one of them is not known")
    return ""

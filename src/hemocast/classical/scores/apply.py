"""A score applied to what is known of a patient: points, or the range of them, and the risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from hemocast.classical.scores.definition import Item, Part, Risk, Score, points_possible
from hemocast.classical.scores.inputs import INPUTS, in_unit

Code = Literal[
    "outside_population", "population_unknown", "missing", "uncertain_sign", "boundary",
    "unconfirmed_points", "unconfirmed_risk", "no_published_risk", "function_not_bleeding",
    "overruled", "race_left_out",
]  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """What is known of one input of one patient.

    Parameters
    ----------
    value : float, str or None
        A number in the input's own unit, or one of its words; None: not known.
    low, high : float or None
        Of a number that was measured with an interval.
    measured : bool
        Hemocast measured it, nobody wrote it down.
    overruled : float, str or None
        What Hemocast measured where the record says otherwise.
    """

    value: float | str | None = None
    low: float | None = None
    high: float | None = None
    measured: bool = False
    overruled: float | str | None = None


Facts = Mapping[str, Fact]
UNKNOWN = Fact()


@dataclass(frozen=True)
class Note:
    """Something to know about a result: a code, and a sentence without its full stop."""

    code: Code
    text: str


@dataclass(frozen=True)
class ItemPoints:
    """Points of one item; `points` is None where they are not known, then `low` < `high`."""

    name: str
    points: int | None
    low: int
    high: int


@dataclass(frozen=True)
class PublishedRisk:
    """What is published of patients with these points.

    Parameters
    ----------
    outcome : str
        Of what.
    value : float or None
        Share from 0 to 1; None where the points are not known, or nothing, or no number, is
        published for them.
    low, high : float or None
        Over all points that are possible and have one; None where none has.
    n : int or None
        Patients behind it; None where no source at hand says.
    source : str
        Where it was published.
    """

    outcome: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    source: str


@dataclass(frozen=True)
class Result:
    """A score of a patient.

    Parameters
    ----------
    score : Score
        Which.
    points : int or None
        None where something that matters is missing.
    low, high : int
        Fewest and most points that what is missing, and intervals of what was measured, allow.
    items : tuple of ItemPoints
        Every line of the score.
    risks : tuple of PublishedRisk
        The score's own outcome first; several of one outcome where it depends on something that is
        not known.
    missing, measured, overruled : tuple of str
        Inputs that are missing and matter; that Hemocast measured; that it measured and the record
        overrules.
    notes : tuple of Note
        All that limits the result.
    """

    score: Score
    points: int | None
    low: int
    high: int
    items: tuple[ItemPoints, ...]
    risks: tuple[PublishedRisk, ...]
    missing: tuple[str, ...]
    measured: tuple[str, ...]
    overruled: tuple[str, ...]
    notes: tuple[Note, ...]

    @property
    def risk(self) -> PublishedRisk | None:
        """What is published of the score's own outcome; None: nothing.

        Of treated and untreated patients together, where it is not known which the patient is.
        """
        own = [risk for risk in self.risks if risk.outcome == self.risks[0].outcome]
        if len(own) < 2:
            return next(iter(own), None)
        lows = [risk.low for risk in own if risk.low is not None]
        highs = [risk.high for risk in own if risk.high is not None]
        return replace(
            own[0], value=None, low=min(lows, default=None), high=max(highs, default=None)
        )


def apply(score: Score, facts: Facts, *, race: bool = True) -> Result:
    """Apply a score.

    Parameters
    ----------
    score : Score
        Which.
    facts : mapping of str to Fact
        By name of input; what is not there is not known.
    race : bool
        Count an item that asks for race; else it counts as its fewest points.
    """
    facts = _told(facts)
    left_out = [item for item in score.items if item.race and not race]
    counted = [item for item in score.items if item not in left_out]
    items = {item.name: _item(item, facts) for item in counted}
    for item in left_out:
        fewest, _ = points_possible(item)
        items[item.name] = ItemPoints(item.name, fewest, fewest, fewest)
    low = sum(item.low for item in items.values())
    high = sum(item.high for item in items.values())
    best = [item.points for item in items.values()]
    known = [points for points in best if points is not None]
    used = [part.input for item in counted for part in item.parts]
    missing = tuple(
        part.input
        for item in counted
        for part in item.parts
        if items[item.name].points is None and _best(part, _fact(facts, part.input)) is None
    )
    points = sum(known) if len(known) == len(best) else None
    risks = tuple(_published(score, risk, points, low, high) for risk in _that_apply(score, facts))
    notes = (
        *_population(score, facts),
        *_of_items(counted, items, facts),
        *_of_risks(score, facts, low, high),
        *(Note("race_left_out", f"{item.name}: left out on request") for item in left_out),
    )
    return Result(
        score=score,
        points=points,
        low=low,
        high=high,
        items=tuple(items[item.name] for item in score.items),
        risks=risks,
        missing=missing,
        measured=tuple(name for name in used if _fact(facts, name).measured),
        overruled=tuple(name for name in used if _fact(facts, name).overruled is not None),
        notes=notes,
    )


def _fact(facts: Facts, name: str) -> Fact:
    return facts.get(name, UNKNOWN)


def _told(facts: Facts) -> Facts:
    """Add what follows: where hours from onset are given, it is known when the stroke began."""
    hours = _fact(facts, "onset_to_admission_hours").value
    if hours is not None and _fact(facts, "onset_unknown").value is None:
        return {**facts, "onset_unknown": Fact("no")}
    return facts


def _item(item: Item, facts: Facts) -> ItemPoints:
    """Count an item; it is known although a part is not where that part cannot matter."""
    ends = [_range(part, _fact(facts, part.input)) for part in item.parts]
    low, high = max(low for low, _ in ends), max(high for _, high in ends)
    best = [_best(part, _fact(facts, part.input)) for part in item.parts]
    known = [points for points in best if points is not None]
    if low == high:
        return ItemPoints(item.name, low, low, high)
    points = max(known) if len(known) == len(best) else None
    return ItemPoints(item.name, points, low, high)


def _number(part: Part, value: float) -> float:
    return in_unit(part.input, value, part.unit)


def _best(part: Part, fact: Fact) -> int | None:
    if fact.value is None:
        return None
    if part.words is not None:
        return part.words[str(fact.value)]
    at = _number(part, float(fact.value))
    return next(part.between(at, at))


def _range(part: Part, fact: Fact) -> tuple[int, int]:
    """Fewest and most points; a word for which the score has none counts as not known."""
    best = _best(part, fact)
    if best is None:
        return part.possible
    if fact.low is None or fact.high is None:
        return best, best
    points = [best, *part.between(_number(part, fact.low), _number(part, fact.high))]
    return min(points), max(points)


def _that_apply(score: Score, facts: Facts) -> Iterator[Risk]:
    """Risks of treated or of untreated patients, or both where it is not known."""
    treated = _given(facts, "thrombolytic")
    for risk in score.risks:
        if risk.treated is None or treated is None or risk.treated == treated:
            yield risk


def _given(facts: Facts, treatment: str) -> bool | None:
    """Whether the patient had a treatment; None: not known."""
    words = str(_fact(facts, "treatment").value or "unknown").split(";")
    return None if words == ["unknown"] else treatment in words


def _published(score: Score, risk: Risk, points: int | None, low: int, high: int) -> PublishedRisk:
    possible = range(low, high + 1)
    shares = [step.shares(at) for at in possible if (step := risk.at(at)) is not None]
    step = None if points is None else risk.at(points)
    exact = (None, None) if step is None or points is None else step.shares(points)
    source = score.sources[risk.source]
    return PublishedRisk(
        outcome=risk.outcome,
        value=exact[0] if exact[0] == exact[1] else None,
        low=min((share for share, _ in shares), default=None),
        high=max((share for _, share in shares), default=None),
        n=risk.n,
        source=source.cite + (f", {source.doi}" if source.doi else ""),
    )


def _population(score: Score, facts: Facts) -> Iterator[Note]:
    if score.predicts == "function":
        yield Note("function_not_bleeding", f"{score.name} predicts function, not bleeding")
    asked: tuple[tuple[str, str, Callable[[], bool | None]], ...] = (
        (score.treatment, "treatment", lambda: _given(facts, score.treatment)),
        (score.territory, "territory", lambda: _lies_in(facts, score.territory)),
    )
    for wanted, column, inside in asked:
        if wanted == "any":
            continue
        answer = inside()
        if answer is None:
            yield Note(
                "population_unknown",
                f"{score.name} is for {score.population}; the {column} of this patient is unknown",
            )
        elif not answer:
            yield Note(
                "outside_population",
                f"{score.name} is for {score.population}; the {column} of this patient is another",
            )
    age = _fact(facts, "age").value
    if age is not None and float(age) < 18:
        yield Note("outside_population", f"{score.name} was made for adults")


def _lies_in(facts: Facts, territory: str) -> bool | None:
    value = _fact(facts, "territory").value
    return None if value is None else value == territory


def _of_items(counted: list[Item], items: Mapping[str, ItemPoints], facts: Facts) -> Iterator[Note]:
    for item in counted:
        found = items[item.name]
        facts_of = {part.input: _fact(facts, part.input) for part in item.parts}
        if found.points is None:
            absent = [p.input for p in item.parts if _best(p, facts_of[p.input]) is None]
            said = f"{item.name}: {', '.join(absent)} not known"
            yield Note("missing", f"{said}, {found.low} to {found.high} points")
        elif found.low < found.high:
            yield Note(
                "uncertain_sign",
                f"{item.name}: measured with an interval, {found.low} to {found.high} points",
            )
        for name, fact in facts_of.items():
            if fact.overruled is not None:
                said = f"{INPUTS[name].meaning}: measured {fact.overruled}, the record says"
                yield Note("overruled", f"{said} {fact.value}, which counts")
        for part in item.numbers:
            value = facts_of[part.input].value
            for doubt in item.doubts:
                if value is not None and doubt.concerns(_number(part, float(value))):
                    yield Note("boundary", f"{item.name}: {doubt.says}")
    for why in dict.fromkeys(item.unconfirmed for item in counted if item.unconfirmed):
        lines = [item.name for item in counted if item.unconfirmed == why]
        yield Note("unconfirmed_points", f"{'; '.join(lines)}: {why}")


def _of_risks(score: Score, facts: Facts, low: int, high: int) -> Iterator[Note]:
    if not score.risks:
        yield Note("no_published_risk", f"{score.name}: no table of risks was found")
    for risk in _that_apply(score, facts):
        steps = {points: risk.at(points) for points in range(low, high + 1)}
        without = [points for points, step in steps.items() if step is None]
        if without:
            which = f"{without[0]}" if len(without) == 1 else f"{without[0]} to {without[-1]}"
            yield Note("no_published_risk", f"{risk.outcome}: none published for {which} points")
        doubts = {step.unconfirmed for step in steps.values() if step and step.unconfirmed}
        if risk.unconfirmed and len(without) < len(steps):
            doubts.add(risk.unconfirmed)
        for doubt in sorted(doubts):
            yield Note("unconfirmed_risk", f"{risk.outcome}: {doubt}")

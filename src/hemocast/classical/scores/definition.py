"""A score as its file states it: points, doubts, risks and where each was read; checked on load."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, Self

import yaml
from pydantic import Field, model_validator

from hemocast.classical.scores.inputs import INPUTS, in_unit, known_units
from hemocast.config import Settings


class Source(Settings):
    """Where points or risks come from."""

    cite: str
    doi: str | None = None
    read: str = Field(description="what of it was read: the article, its abstract, a listing")


class Band(Settings):
    """Points of the numbers up to a limit, and above the limit of the band before."""

    points: int
    up_to: float | None = Field(None, description="the limit itself counts here")
    below: float | None = Field(None, description="the limit itself counts in the next band")

    @property
    def end(self) -> float:
        """The limit; infinity in the last band."""
        limits = (limit for limit in (self.up_to, self.below) if limit is not None)
        return next(limits, math.inf)

    def holds(self, value: float) -> bool:
        """Whether the value does not lie above the band."""
        return value < self.end or (self.up_to is not None and value == self.up_to)

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if self.up_to is not None and self.below is not None:
            raise ValueError("a band ends with up_to or with below, not both")
        return self


class Part(Settings):
    """Points of one input, in one of three ways."""

    input: str
    unit: str | None = Field(None, description="in which limits are given; none: the input's own")
    words: dict[str, int | None] | None = Field(
        None, description="none: the score has no points for it"
    )
    bands: tuple[Band, ...] | None = None
    per: float | None = Field(None, gt=0, description="a point for every so many units")

    @model_validator(mode="after")
    def _fits_its_input(self) -> Self:
        if self.input not in INPUTS:
            raise ValueError(f"{self.input} is no input")
        given = INPUTS[self.input]
        if sum(way is not None for way in (self.words, self.bands, self.per)) != 1:
            raise ValueError("a part has words, bands or per")
        if given.is_number == (self.words is not None):
            raise ValueError("numbers have bands or per, everything else words")
        if self.words is not None and set(self.words) != set(given.words):
            raise ValueError(f"words must be {', '.join(given.words)}")
        if self.unit not in known_units(self.input):
            raise ValueError(f"{self.unit} is no unit of {self.input}")
        ends = [band.end for band in self.bands or ()]
        if self.bands is not None and (ends != sorted(set(ends)) or ends[-1] != math.inf):
            raise ValueError("limits must rise, and the last band has none")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value that the input can have, in the part's unit."""
        column = INPUTS[self.input].column
        return in_unit(self.input, column.low, self.unit), in_unit(
            self.input, column.high, self.unit
        )

    @property
    def possible(self) -> tuple[int, int]:
        """Fewest and most points of an input of which nothing is known."""
        if self.words is not None:
            points = [points for points in self.words.values() if points is not None]
        else:
            points = list(self.between(*self.limits))
        return min(points), max(points)

    def between(self, low: float, high: float) -> Iterator[int]:
        """Points of the values of a number from `low` to `high`; at least the fewest and most."""
        if self.per is not None:
            yield from (math.floor(low / self.per), math.floor(high / self.per))
            return
        for band in self.bands or ():
            if not band.holds(low):
                continue
            yield band.points
            if band.holds(high):
                return


class Doubt(Settings):
    """Values for which the sources leave the points open."""

    says: str
    at: float | None = None
    between: tuple[float, float] | None = Field(None, description="both ends excluded")
    not_multiple_of: float | None = None

    def concerns(self, value: float) -> bool:
        """Whether the value, in the unit of the item's number, is such a one."""
        if self.between is not None:
            return self.between[0] < value < self.between[1]
        if self.not_multiple_of is not None:
            return value % self.not_multiple_of != 0
        return value == self.at


class Item(Settings):
    """One line of a score; of several parts the one with most points counts."""

    name: str
    source: str
    parts: tuple[Part, ...] = Field(min_length=1)
    unconfirmed: str | None = Field(None, description="why the points are not certain")
    doubts: tuple[Doubt, ...] = ()
    race: bool = Field(False, description="the item counts race, and can be left out")

    @property
    def numbers(self) -> tuple[Part, ...]:
        """Parts that count a number; doubts concern these."""
        return tuple(part for part in self.parts if part.words is None)


class Step(Settings):
    """The published share of patients with the outcome, at some points."""

    points: int | tuple[int, int]
    percent: float | None = Field(None, ge=0, le=100)
    below_percent: float | None = Field(None, gt=0, le=100)
    quadratic: tuple[float, float, float] | None = Field(
        None, description="percent = c0 + c1 points + c2 points^2"
    )
    unconfirmed: str | None = None

    @property
    def ends(self) -> tuple[int, int]:
        """First and last points."""
        return self.points if isinstance(self.points, tuple) else (self.points, self.points)

    def shares(self, points: int) -> tuple[float, float]:
        """Lowest and highest share, from 0 to 1."""
        if self.below_percent is not None:
            return 0.0, _share(self.below_percent)
        if self.quadratic is not None:
            c0, c1, c2 = self.quadratic
            share = _share(c0 + c1 * points + c2 * points**2)
        else:
            share = _share(self.percent or 0.0)
        return share, share

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = (self.percent, self.below_percent, self.quadratic)
        if sum(one is not None for one in said) != 1:
            raise ValueError("a step has percent, below_percent or quadratic")
        return self


def _share(percent: float) -> float:
    """From 0 to 1, as a decimal would be divided: 57.1 % is 0.571."""
    return round(percent / 100, 12)


class Risk(Settings):
    """Published shares of one outcome."""

    outcome: str
    source: str
    n: int | None = Field(None, gt=0, description="patients; none where no available source says")
    treated: bool | None = Field(None, description="of patients with, or without, thrombolysis")
    unconfirmed: str | None = None
    steps: tuple[Step, ...]

    def at(self, points: int) -> Step | None:
        """What is published for these points; None: nothing."""
        return next((s for s in self.steps if s.ends[0] <= points <= s.ends[1]), None)


class Example(Settings):
    """A worked example: cells as in a table, the points, and the first risk."""

    given: dict[str, float | str]
    points: int
    percent: float | None = None


class Score(Settings):
    """A clinical score.

    `predicts` says whether it was made for bleeding or for function; whom it is for (`population`,
    `treatment`, `territory`), the `outcome` and its `horizon` go wherever its points go.
    """

    name: str
    title: str
    predicts: Literal["bleeding", "function"]
    outcome: str
    horizon: str
    population: str
    treatment: Literal["thrombolytic", "thrombectomy", "any"]
    territory: Literal["mca", "any"] = "any"
    range: tuple[int, int]
    sources: dict[str, Source]
    items: tuple[Item, ...]
    risks: tuple[Risk, ...] = ()
    remarks: tuple[str, ...] = ()
    examples: tuple[Example, ...] = Field(min_length=1)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all that it asks for."""
        return tuple(dict.fromkeys(part.input for item in self.items for part in item.parts))

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        cited = {item.source for item in self.items} | {risk.source for risk in self.risks}
        if cited != set(self.sources):
            raise ValueError("every source must be cited, and every citation have its source")
        if len(self.inputs) != sum(len(item.parts) for item in self.items):
            raise ValueError("an input counts in one item only")
        ends = [points_possible(item) for item in self.items]
        if self.range != (sum(low for low, _ in ends), sum(high for _, high in ends)):
            raise ValueError("the items do not add up to the range")
        steps = [step.ends for risk in self.risks for step in risk.steps]
        if any(not self.range[0] <= low <= high <= self.range[1] for low, high in steps):
            raise ValueError("a risk is given for points that cannot be")
        return self


def points_possible(item: Item) -> tuple[int, int]:
    """Fewest and most points of an item of which nothing is known."""
    each = [part.possible for part in item.parts]
    return max(low for low, _ in each), max(high for _, high in each)


def load_score(text: str) -> Score:
    """Read and check the text of a score's file.

    Raises
    ------
    ValueError
        (of pydantic) The file does not state a whole score.
    """
    return Score.model_validate(yaml.safe_load(text))


@cache
def all_scores() -> Mapping[str, Score]:
    """All scores that come with Hemocast, by name; those for bleeding first."""
    folder = files("hemocast.classical.scores") / "tables"
    found = [
        load_score(path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".yaml")
    ]
    found.sort(key=lambda score: (score.predicts, score.name))
    return MappingProxyType({score.name: score for score in found})

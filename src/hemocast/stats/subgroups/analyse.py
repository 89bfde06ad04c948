"""The same metrics in every subgroup, and whether the subgroups differ.

A subgroup's interval says little beside another's: two intervals that overlap may differ, and one
that holds chance may just be small. The interaction tests answer the question itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.stats.calibration.measures import calibration_line
from hemocast.stats.cases import Cases
from hemocast.stats.comparison import holm
from hemocast.stats.estimate import FEW, Estimate, IntArray
from hemocast.stats.evaluation import Evaluation, evaluate
from hemocast.stats.pooling import Pooled, pool_estimates
from hemocast.stats.resampling.weights import Resampling
from hemocast.stats.subgroups.interaction import (
    Group,
    Interaction,
    auc_interaction,
    calibration_interaction,
)

MISSING: Final = "missing"
"""The name of the group of cases without a value."""

_SHOWN: Final = ("auc", "sensitivity", "specificity", "brier")
_SHARES: Final = _SHOWN[:-1]
_LINE: Final = ("calibration_in_the_large", "calibration_slope")
_NO_VALUE: Final = frozenset({"", "n/a", "nan", "NaN", "<NA>", "NaT"})


@dataclass(frozen=True)
class GroupVariable:
    """What cases are grouped by.

    Parameters
    ----------
    name : str
        Sex, scanner, ...
    values : tuple of str
        The group of every case; `MISSING` where there is none.
    order : tuple of str
        All groups, as a table shall list them.
    """

    name: str
    values: tuple[str, ...]
    order: tuple[str, ...]

    def part(self, rows: IntArray) -> GroupVariable:
        """Return the variable of some of the cases, given by their places."""
        values = tuple(np.array(self.values, dtype=object)[rows])
        found = set(values)
        return GroupVariable(self.name, values, tuple(one for one in self.order if one in found))

    def groups(self, n: int) -> tuple[Group, ...]:
        """Return the groups among `n` cases.

        Raises
        ------
        StatisticsError
            The variable has another number of values.
        """
        if len(self.values) != n:
            raise StatisticsError(
                f"There are {n} cases and {len(self.values)} values of {self.name}",
                "a value for every case, or a missing one",
                "Check that both come from the same cases",
            )
        values = np.array(self.values, dtype=object)
        return tuple(Group(name, values == name) for name in self.order)


@dataclass(frozen=True)
class Subgroup:
    """One subgroup.

    Parameters
    ----------
    name : str
        Of the group.
    evaluation : Evaluation
        All metrics, with intervals from resampled patients.
    warning : str or None
        That the group is too small, or that its cases have no value.
    line : tuple of (str, Estimate)
        Calibration in the large and slope; empty where they cannot be measured.
    """

    name: str
    evaluation: Evaluation
    warning: str | None
    line: tuple[tuple[str, Estimate], ...] = ()

    @property
    def metrics(self) -> tuple[tuple[str, Estimate], ...]:
        """What tables of subgroups show: AUC, sensitivity, specificity, Brier score.

        Each with the warning of the group before its own.
        """
        return tuple((name, self._warned(self.evaluation.headline(name))) for name in _SHOWN)

    def _warned(self, value: Estimate) -> Estimate:
        said = dict.fromkeys(text for text in (self.warning, value.warning) if text)
        return replace(value, warning="; ".join(said) or None)


@dataclass(frozen=True)
class SubgroupAnalysis:
    """All subgroups by one variable.

    Parameters
    ----------
    variable : str
        Its name.
    groups : tuple of Subgroup
        In the variable's order; together all cases.
    auc_interaction, calibration_interaction : Interaction
        Whether the groups have the same AUC, and the same calibration line.
    """

    variable: str
    groups: tuple[Subgroup, ...]
    auc_interaction: Interaction
    calibration_interaction: Interaction

    @property
    def tests(self) -> tuple[tuple[str, Interaction], ...]:
        """Both tests, by what shall be equal."""
        return (
            ("auc", self.auc_interaction),
            ("calibration_line", self.calibration_interaction),
        )

    def pooled(self) -> tuple[tuple[str, Pooled], ...]:
        """Pool what `Subgroup.metrics` and `Subgroup.line` hold, where two or more groups have it.

        For sites: groups of a few, and those without a value, are left out.
        """
        groups = [one for one in self.groups if one.warning is None]
        made = []
        for name in (*_SHOWN, *_LINE):
            try:
                every = [dict((*one.metrics, *one.line)) for one in groups]
                values = [one[name] for one in every if name in one]
                made.append((name, pool_estimates(values, share=name in _SHARES)))
            except StatisticsError:
                continue
        return tuple(made)

    @property
    def n_unknown(self) -> int:
        """Cases without a value, which no test holds."""
        return sum(one.evaluation.n for one in self.groups if one.name == MISSING)


def categories(name: str, values: Iterable[object]) -> GroupVariable:
    """Group cases by a category, such as treatment, sex, site or scanner.

    Parameters
    ----------
    name : str
        Of the variable.
    values : sequence, one per case
        Anything with a name; None, NaN, an empty text and "n/a" count as missing.
    """
    named = tuple(MISSING if _no_value(value) else str(value).strip() for value in values)
    order = sorted(set(named) - {MISSING})
    return GroupVariable(name, named, (*order, *([MISSING] if MISSING in named else [])))


def _no_value(value: object) -> bool:
    return value is None or str(value).strip() in _NO_VALUE


def bands(
    name: str,
    values: Iterable[object],
    edges: Sequence[float],
    names: Sequence[str] | None = None,
) -> GroupVariable:
    """Group cases by bands of a number, such as age or hours from onset.

    Parameters
    ----------
    name : str
        Of the variable.
    values : sequence, one per case
        Numbers; None, NaN, an empty text and "n/a" count as missing.
    edges : sequence of float
        Rising. An edge belongs to the band above it: 60, 80 give "<60", "60 to <80", ">=80".
    names : sequence of str, optional
        Other names of the bands, one more than edges.

    Raises
    ------
    StatisticsError
        Edges that do not rise, or a value that is no number.
    """
    limits = [float(edge) for edge in edges]
    if not limits or any(b <= a for a, b in itertools.pairwise(limits)):
        raise StatisticsError(
            f"The edges of {name} are {limits}", "rising numbers", "Correct the edges"
        )
    called = names or [
        f"<{limits[0]:g}",
        *(f"{a:g} to <{b:g}" for a, b in itertools.pairwise(limits)),
        f">={limits[-1]:g}",
    ]
    named = []
    for value in values:
        if _no_value(value):
            named.append(MISSING)
            continue
        try:
            number = float(str(value))
        except ValueError as error:
            raise StatisticsError(
                f"A value of {name} is no number", "numbers, or nothing", "Correct the column"
            ) from error
        named.append(called[int(np.searchsorted(limits, number, side="right"))])
    used = [one for one in (*called, MISSING) if one in named]
    return GroupVariable(name, tuple(named), tuple(used))


def analyse_subgroups(
    cases: Cases,
    threshold: float,
    variables: Sequence[GroupVariable],
    resampling: Resampling = Resampling(),
) -> tuple[SubgroupAnalysis, ...]:
    """Evaluate every subgroup by every variable, and test whether they differ.

    Parameters
    ----------
    cases : Cases
        Of one rater, whose scores are fractions in [0, 1].
    threshold : float
        At or above it a case counts as positive; the same in all groups.
    variables : sequence of GroupVariable
        From `categories` and `bands`.
    resampling : Resampling
        Of patients.

    Returns
    -------
    tuple of SubgroupAnalysis
        One per variable. P values of each kind of test are adjusted after Holm over the variables.

    Raises
    ------
    StatisticsError
        A variable of another length, or whatever `evaluate` refuses.
    """
    results = []
    for variable in variables:
        groups = variable.groups(cases.n)
        results.append(
            SubgroupAnalysis(
                variable.name,
                tuple(_subgroup(cases, group, threshold, resampling) for group in groups),
                auc_interaction(cases, groups),
                calibration_interaction(cases, groups),
            )
        )
    by_auc = _adjust([one.auc_interaction for one in results])
    by_line = _adjust([one.calibration_interaction for one in results])
    return tuple(
        replace(one, auc_interaction=area, calibration_interaction=line)
        for one, area, line in zip(results, by_auc, by_line, strict=True)
    )


def _subgroup(cases: Cases, group: Group, threshold: float, resampling: Resampling) -> Subgroup:
    own = cases.part(group.rows)
    notes = []
    if group.name == MISSING:
        notes.append("these cases have no value")
    few = own.smaller_class
    if few < FEW:
        patients = f"{few} patient{'' if few == 1 else 's'}"
        notes.append(f"too small to conclude from: {patients} of the smaller class")
    line: tuple[tuple[str, Estimate], ...] = ()
    with suppress(StatisticsError):
        line = tuple(zip(_LINE, calibration_line(own), strict=True))
    warning = "; ".join(notes) or None
    return Subgroup(group.name, evaluate(own, threshold, resampling), warning, line)


def _adjust(tests: list[Interaction]) -> list[Interaction]:
    """Adjust the p values of the tests that could be made."""
    made = [number for number, test in enumerate(tests) if not np.isnan(test.p)]
    adjusted = holm([tests[number].p for number in made])
    changed = dict(zip(made, adjusted, strict=True))
    return [
        replace(test, p_adjusted=float(changed[number])) if number in changed else test
        for number, test in enumerate(tests)
    ]

"""How far raters agree: with each other, with the model, and readers with their own repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.data import ReadingTable, common_rows, crossed
from hemocast.stats import (
    Estimate,
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    percent_agreement,
)
from hemocast.stats.agreement import intraclass
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import Float64Array, IntArray

_NAN = float("nan")
_Measure = Callable[[ArrayLike, ArrayLike], Estimate]


@dataclass(frozen=True)
class Agreement:
    """Two raters (or one reader twice) on the scans that both decided on.

    Parameters
    ----------
    first, second, arm : str
        Who, and the readers' arm.
    n : int
        Scans.
    percent, kappa, ac1 : Estimate
        Share alike, Cohen's kappa, Gwet's AC1.
    probability_gap : float
        Mean distance of their probabilities; NaN where one gave none.
    """

    first: str
    second: str
    arm: str
    n: int
    percent: Estimate
    kappa: Estimate
    ac1: Estimate
    probability_gap: float


@dataclass(frozen=True)
class GroupAgreement:
    """All readers of an arm together, on the scans that all read.

    Fleiss' kappa and Gwet's AC1 of decisions, and the intraclass correlation of probabilities.
    """

    arm: str
    n_readers: int
    n: int
    fleiss: Estimate
    ac1: Estimate
    icc: Estimate


@dataclass(frozen=True)
class AgreementPart:
    """All agreement of a study.

    Parameters
    ----------
    pairs : tuple of Agreement
        Every pair of readers, and every reader with every model.
    groups : tuple of GroupAgreement
        By arm.
    repeats : tuple of Agreement
        A reader's first reading against the repeat; both names are the reader's.
    """

    pairs: tuple[Agreement, ...]
    groups: tuple[GroupAgreement, ...]
    repeats: tuple[Agreement, ...]


@dataclass(frozen=True)
class _Decisions:
    """What one rater said about some scans, by sorted row."""

    name: str
    row: IntArray
    decision: Float64Array
    probability: Float64Array


def measure_agreement(readings: ReadingTable, models: Sequence[ModelCases]) -> AgreementPart:
    """Measure the agreement of every pair of raters, of all together, and of each with repeats."""
    pairs: list[Agreement] = []
    groups: list[GroupAgreement] = []
    repeats: list[Agreement] = []
    for arm in readings.arms:
        own = readings.part(readings.arm == arm)
        first, again = own.part(own.repeat == 0), own.part(own.repeat > 0)
        readers = [_decisions(first.part(first.reader == name), name) for name in first.readers]
        machines = [_machine(model) for model in models]
        couples = list(combinations(readers, 2))
        couples += [(machine, reader) for machine in machines for reader in readers]
        pairs += [_agree(a, b, arm) for a, b in couples]
        if len(readers) > 1:
            groups.append(_together(first, arm))
        by_name = {reader.name: reader for reader in readers}
        repeats += [
            _agree(by_name[name], _decisions(again.part(again.reader == name), name), arm)
            for name in again.readers
            if name in by_name
        ]
    return AgreementPart(tuple(pairs), tuple(groups), tuple(repeats))


def _decisions(own: ReadingTable, name: str) -> _Decisions:
    # Of several repeats of a scan the first counts.
    order = np.lexsort((own.repeat, own.row))
    row, at = np.unique(own.row[order], return_index=True)
    chosen = order[at]
    return _Decisions(
        name, row.astype(np.int64), own.decision[chosen].astype(float), own.probability[chosen]
    )


def _machine(model: ModelCases) -> _Decisions:
    order = np.argsort(model.rows)
    probability = model.cases.score[order]
    said = (probability >= model.threshold).astype(float)
    return _Decisions(model.name, model.rows[order], said, probability)


def _agree(a: _Decisions, b: _Decisions, arm: str) -> Agreement:
    row, at_a, at_b = np.intersect1d(a.row, b.row, assume_unique=True, return_indices=True)
    first, second = a.decision[at_a], b.decision[at_b]
    gaps = np.abs(a.probability[at_a] - b.probability[at_b])
    return Agreement(
        first=a.name,
        second=b.name,
        arm=arm,
        n=int(row.size),
        percent=_measured(percent_agreement, first, second),
        kappa=_measured(cohen_kappa, first, second),
        ac1=_measured(lambda x, y: gwet_ac1(np.column_stack([x, y])), first, second),
        probability_gap=float(gaps.mean()) if row.size and not np.isnan(gaps).any() else _NAN,
    )


def _measured(measure: _Measure, first: Float64Array, second: Float64Array) -> Estimate:
    try:
        return measure(first, second)
    except StatisticsError:
        reason = f"undefined: {first.size} scan(s) decided on by both"
        return Estimate.bare(_NAN, first.size, reason)


def _together(own: ReadingTable, arm: str) -> GroupAgreement:
    rows = common_rows(own)
    try:
        ratings = crossed(own, rows, own.decision.astype(float)).scores.T
        fleiss, ac1 = fleiss_kappa(ratings), gwet_ac1(ratings)
    except StatisticsError:
        reason = f"undefined: {rows.size} scan(s) read by all"
        fleiss = ac1 = Estimate.bare(_NAN, rows.size, reason)
    try:
        icc = intraclass(crossed(own, rows, own.probability).scores.T)
    except StatisticsError:
        icc = Estimate.bare(_NAN, rows.size, "undefined: too few scans, or no probabilities")
    return GroupAgreement(arm, len(own.readers), int(rows.size), fleiss, ac1, icc)

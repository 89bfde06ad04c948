"""The probabilities of readers and models side by side, scan by scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hemocast.readers.analysis.data import ReadingTable
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import BoolArray, Float64Array, IntArray


@dataclass(frozen=True)
class Ratings:
    """What raters gave to the same scans.

    Parameters
    ----------
    arm : str
        Of the readers.
    names : tuple of str, length k
        Models first.
    truth : ndarray of bool, shape (n,)
        The outcome of every scan that anybody read in this arm.
    probability : ndarray of float64, shape (k, n)
        NaN where a rater gave none.
    """

    arm: str
    names: tuple[str, ...]
    truth: BoolArray
    probability: Float64Array


def ratings_of(first: ReadingTable, models: Sequence[ModelCases]) -> Iterator[Ratings]:
    """Give for each arm what models and readers gave; nobody who gave no probability at all.

    Parameters
    ----------
    first : ReadingTable
        Without repeats.
    models : sequence of ModelCases
        Of the same table of scans.
    """
    for arm in first.arms:
        own = first.part(first.arm == arm)
        rows, at = np.unique(own.row, return_index=True)
        given = {model.name: _on(rows, model.rows, model.cases.score) for model in models}
        for name in own.readers:
            his = own.part(own.reader == name)
            given[name] = _on(rows, his.row, his.probability)
        given = {name: values for name, values in given.items() if not np.isnan(values).all()}
        if len(given) > 1:
            yield Ratings(arm, tuple(given), own.truth[at], np.array(list(given.values())))


def _on(rows: IntArray, own: IntArray, values: Float64Array) -> Float64Array:
    """Put values of some scans at their places among sorted rows; NaN where there is none."""
    found = np.full(rows.size, np.nan)
    mine = np.isin(own, rows)
    found[np.searchsorted(rows, own[mine])] = values[mine]
    return found

"""Which answers a logit leaves open: {0}, {1} or {0, 1}, with known coverage in each class.

Split conformal prediction (Vovk, Gammerman & Shafer 2005, 10.1007/b106715), class by class (label-
conditional: Vovk 2012, 10.1007/s10994-013-5355-6; compare Romano, Sesia & Candes 2020,
arXiv:2006.02544): of patients with HT, wherever they are common or rare, at least `LEVEL` get a set
that holds 1; of patients without, at least `LEVEL` a set that holds 0. The patients must come from
where those came from whose logits were sorted, and the network must not have learned from these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

LEVEL = 0.9
"""Share of the patients of each class whose set holds their outcome, at least."""


@dataclass(frozen=True)
class LabelSets:
    """Up to which logit 0 stays possible, and from which on 1 does.

    Parameters
    ----------
    level : float
        Share of each class that is to be covered.
    zero_to : float or None
        0 is in the set of logits up to here; None: of all, since too few patients could tell.
    one_from : float or None
        1 is in the set of logits from here on; None: of all.
    n_without, n_with : int
        Patients without and with HT that this was learned from.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    zero_to: float | None
    one_from: float | None
    n_without: int
    n_with: int

    def of(self, logit: float) -> tuple[int, ...]:
        """Return the set of a logit.

        Where neither label would be in it, both are: a logit that is unusual for either class
        decides nothing.
        """
        zero = self.zero_to is None or logit <= self.zero_to
        one = self.one_from is None or logit >= self.one_from
        return (0, 1) if zero == one else (0,) if zero else (1,)

    def text(self, logit: float) -> str:
        """Return the set of a logit as it is written: "{0}", "{1}" or "{0, 1}"."""
        return f"{{{', '.join(map(str, self.of(logit)))}}}"


def fit_label_sets(
    label: ArrayLike, logit: ArrayLike, weight: ArrayLike, level: float = LEVEL
) -> LabelSets:
    """Learn the sets from logits of patients that the network had not seen.

    A patient's scans share one patient's weight (Lee, Barber & Willett 2023, arXiv:2306.06342), so
    that the coverage is that of a scan drawn from a new patient. With one scan each this is the
    usual rank: the k-th least likely of n, k = floor((1 - level) * (n + 1)).

    Parameters
    ----------
    label, logit, weight : array-like, shape (n,)
        As for `hemocast.model.fit_calibration`.
    level : float
        Share of each class that is to be covered.
    """
    y, x, w = (np.asarray(values, np.float64) for values in (label, logit, weight))
    zero, one = y == 0, y == 1
    lowest = _bound(-x[one], w[one], level)
    return LabelSets(
        level,
        _bound(x[zero], w[zero], level),
        None if lowest is None else -lowest,
        round(float(w[zero].sum())),
        round(float(w[one].sum())),
    )


def _bound(strange: ArrayLike, weight: ArrayLike, level: float) -> float | None:
    """Return how strange one of the class may be; a new patient may be stranger than all."""
    values, mass = np.asarray(strange, np.float64), np.asarray(weight, np.float64)
    order = np.argsort(values, kind="stable")
    share = np.cumsum(mass[order]) / (mass.sum() + 1)
    enough = np.flatnonzero(share >= level - 1e-9)
    return float(values[order[enough[0]]]) if enough.size else None

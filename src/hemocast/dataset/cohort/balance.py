"""How different two groups are: standardised differences, and when their scans were taken."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

IMBALANCE = 0.1  # standardised difference from which groups count as different (Austin 2009)
SIGNIFICANT = 0.05


def standardised_difference(first: ArrayLike, second: ArrayLike) -> float:
    """Difference of means over the pooled standard deviation; 0 and 1 for a yes or no.

    Parameters
    ----------
    first, second : array_like of float
        Missing values (nan) are left out.

    Returns
    -------
    float
        Positive: the first group has more. 0 where both groups are constant and equal, infinite
        where constant and different, nan where a group is empty. Austin 2009, 10.1002/sim.3697.
    """
    groups = [np.asarray(group, dtype=float) for group in (first, second)]
    a, b = (group[~np.isnan(group)] for group in groups)
    if not len(a) or not len(b):
        return float("nan")
    difference = float(a.mean() - b.mean())
    pooled = float(np.sqrt((a.var() + b.var()) / 2))
    if pooled == 0:
        return 0.0 if difference == 0 else float(np.copysign(np.inf, difference))
    return difference / pooled


def standardised_differences(table: pd.DataFrame, label: ArrayLike) -> dict[str, float]:
    """Standardised difference (label 1 against 0) of every column of numbers or of categories.

    Parameters
    ----------
    table : DataFrame
        One row per patient. A column of text gives one entry per category, ``column=category``.
    label : array_like of bool
        The group of each row.
    """
    import pandas as pd

    groups = np.asarray(label, dtype=bool)
    found: dict[str, float] = {}
    for name, column in table.items():
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=float, na_value=np.nan)
            found[str(name)] = standardised_difference(values[groups], values[~groups])
            continue
        for category in sorted(column.dropna().unique()):
            values = (column == category).astype(float).mask(column.isna()).to_numpy()
            found[f"{name}={category}"] = standardised_difference(values[groups], values[~groups])
    return found


@dataclass(frozen=True)
class TimeBalance:
    """Hours from onset to scan in both classes.

    Parameters
    ----------
    n_ht, n_non_ht : int
        Scans.
    ht_hours, non_ht_hours : tuple of float
        Minimum, quartiles and maximum of each class, hours.
    difference : float
        Standardised difference, HT minus no HT.
    ks : float
        Largest distance of the two distribution functions, over all scans.
    ks_p : float
        Its p value over the first scan of each patient (scans of one patient are not independent).
    auc : float
        AUC of the scan time alone: what a model would reach that learned nothing else. Below 0.5
        earlier scans are the ones with HT.
    differs : bool
        The standardised difference reaches 0.1, or the distributions do (distance >= 0.1 and
        p < 0.05).
    """

    n_ht: int
    n_non_ht: int
    ht_hours: tuple[float, ...]
    non_ht_hours: tuple[float, ...]
    difference: float
    ks: float
    ks_p: float
    auc: float
    differs: bool


def compare_scan_times(participant: ArrayLike, label: ArrayLike, hours: ArrayLike) -> TimeBalance:
    """Compare when scans of both classes were taken; warn when a model could learn time.

    Parameters
    ----------
    participant, label, hours : array_like, shape (n,)
        One entry per scan; label 1 HT, 0 no HT; hours after onset. Both classes must be there.
    """
    import pandas as pd
    from scipy.stats import ks_2samp

    from hemocast.stats import Cases, auc

    table = pd.DataFrame({"participant": participant, "label": label, "hours": hours})
    times = [table.loc[table["label"] == group, "hours"].to_numpy() for group in (1, 0)]
    first = table.sort_values("hours").drop_duplicates("participant")
    firsts = [first.loc[first["label"] == group, "hours"].to_numpy() for group in (1, 0)]
    difference = standardised_difference(*times)
    # The exact p value of many scans takes minutes and says the same.
    method = "auto" if len(table) < 2000 else "asymp"
    ks = float(ks_2samp(*times, method=method).statistic)
    ks_p = float(ks_2samp(*firsts, method=method).pvalue)
    differs = abs(difference) >= IMBALANCE or (ks >= IMBALANCE and ks_p < SIGNIFICANT)
    result = TimeBalance(
        len(times[0]),
        len(times[1]),
        _quartiles(times[0]),
        _quartiles(times[1]),
        difference,
        ks,
        ks_p,
        auc(Cases(table["label"].to_numpy(), table["hours"].to_numpy())),
        differs,
    )
    if differs:
        log.warning(
            "Scans with and without HT were taken at different times after onset (standardised "
            "difference %.2f, AUC of time alone %.2f): a model could learn time instead of risk",
            result.difference,
            result.auc,
        )
    return result


def _quartiles(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))

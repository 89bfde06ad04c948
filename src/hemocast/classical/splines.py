"""Restricted cubic splines: a smooth curve between the outer knots, straight lines beyond them."""

from __future__ import annotations

import numpy as np

from hemocast.classical.measurements import Float64Array

_SHARES = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
}
KNOTS = 4


def harrell_knots(values: Float64Array, n: int = KNOTS) -> tuple[float, ...]:
    """Place knots at Harrell's quantiles.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Of the patients that a model learns from; NaN is left out.
    n : int
        Knots wanted: 3, 4 or 5.

    Returns
    -------
    tuple of float
        Rising. Where so many values are the same that quantiles fall together there are fewer, and
        none where fewer than 3 remain: the variable then acts by a straight line.

    References
    ----------
    Harrell FE 2015, Regression Modeling Strategies, 2nd ed, Springer, table 2.3,
    10.1007/978-3-319-19425-7.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return ()
    found = np.unique(np.quantile(known, _SHARES[n]))
    return tuple(float(knot) for knot in found) if found.size >= 3 else ()


def spline_basis(values: Float64Array, knots: tuple[float, ...]) -> Float64Array:
    """Give the columns of a restricted cubic spline.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN stays NaN.
    knots : tuple of float
        Rising, 3 or more; none for a straight line.

    Returns
    -------
    ndarray of float64, shape (n, max(len(knots) - 1, 1))
        The value itself, then the cubic terms divided by the square of the knots' span, so that all
        are of one size.

    References
    ----------
    Harrell FE 2015, section 2.4.5, equation 2.25.
    """
    columns = [np.asarray(values, dtype=np.float64)]
    if knots:
        *inner, before, last = knots
        scale = (last - knots[0]) ** 2

        def cube(at: float) -> Float64Array:
            return np.maximum(columns[0] - at, 0) ** 3

        for knot in inner:
            from_before = cube(before) * (last - knot) / (last - before)
            from_last = cube(last) * (before - knot) / (last - before)
            columns.append((cube(knot) - from_before + from_last) / scale)
    return np.column_stack(columns)

"""The rows as a table for people: one line a model, its seeds averaged, Table 3 of the paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from hemocast.pipeline.benchmark.rows import MAPS, METRICS, SLOPE, SOFT_AUC, SOFT_SHARE, Row
from hemocast.report.words import METRIC_TITLES

TITLES = METRIC_TITLES | {SOFT_AUC: "AUC, soft", SOFT_SHARE: "Share of the way to the ceiling"}
TITLES |= dict(zip(MAPS, ("Heatmap's peak on the infarct", "Evidence on the infarct"), strict=True))
SHARES = tuple(name for name in (*METRICS, *MAPS) if name not in ("brier", SLOPE))
"""Given in percent."""

HEADINGS = (
    "Network", "Seeds", *(TITLES[name] for name in (*METRICS, *MAPS)), "Called positive",
    "Parameters", "CPU, s",
)  # fmt: skip

NOTES = (
    "SIMULATED: every model learned from the same patients and was tested on the same fresh ones. "
    "Shares in percent; with several seeds the mean over them and, in brackets, their span; with "
    "one the 95 % interval from resampled patients.",
    "AUC, soft: the AUC on average when outcomes are drawn from the true risk given the image, so "
    "without the noise of labels. Share: its way from 50 % to that of the true risk itself on the "
    "same patients. A model that reads age from atrophy can pass that ceiling, which takes age as "
    "not seen.",
    "Heatmaps: class activation maps of the first scans of 200 patients with HT, infarct grown by "
    "5 mm. A hit proves nothing where random weights make it too (docs/explanation/heatmaps.md).",
    "CPU: training in both stages and scoring the fresh scans; empty where it was stopped and went "
    "on.",
)


def lines_of(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return one line a model, in the order of the rows, as text under `HEADINGS`."""
    models: dict[str, list[Row]] = {}
    for row in rows:
        models.setdefault(row.model, []).append(row)
    return [_line(name, seeds) for name, seeds in models.items()]


def _line(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    called = _mean([100 * row.called_positive for row in rows], 0)
    parameters = rows[0].parameters
    cpu = _mean([row.cpu_seconds for row in rows if row.cpu_seconds is not None], 0)
    return (
        name,
        str(len(rows)) if rows[0].seed is not None else "",
        *(_cell(metric, rows) for metric in (*METRICS, *MAPS)),
        called,
        "" if parameters is None else f"{parameters:,}",
        cpu,
    )


def _cell(metric: str, rows: Sequence[Row]) -> str:
    scale, digits = (100, 1) if metric in SHARES else (1, 3)
    found = [row.estimates[metric] for row in rows if metric in row.estimates]
    if not found:
        return ""
    values = [scale * one.value for one in found if not math.isnan(one.value)]
    if not values:
        return "undefined"
    ends = [min(values), max(values)] if len(found) > 1 else [
        scale * found[0].ci_low, scale * found[0].ci_high
    ]  # fmt: skip
    middle = f"{sum(values) / len(values):.{digits}f}"
    if any(math.isnan(end) for end in ends):
        return middle
    return f"{middle} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"


def _mean(values: Iterable[float], digits: int) -> str:
    known = list(values)
    return f"{sum(known) / len(known):.{digits}f}" if known else ""

"""A model at a new place on one page: what to know before it is used there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from hemocast.errors import meanings
from hemocast.evaluate.validation.result import Validated
from hemocast.report.figures.drawing import Drawing
from hemocast.report.page import render
from hemocast.report.words import estimate, percent

PAGE = "report.html"
SHOWN = ("roc", "calibration-1", "decision", "subgroups-1")
"""Figures of the evaluation that the page shows again."""
_NEEDS = (
    ("observed_expected", "ratio of observed to expected HT"),
    ("calibration_slope", "calibration slope"),
    ("c_statistic", "AUC"),
)
_FITS = {
    "kept": "These patients give no reason to change the calibration.",
    "moved": "Recalibration would move all log odds by one amount.",
    "refitted": "Recalibration would refit the curve.",
}


def validation_page(found: Validated, figures: Sequence[Drawing]) -> str:
    """Return the page.

    Parameters
    ----------
    found : Validated
        What it shows; every text is escaped.
    figures : sequence of Drawing
        Those of the evaluation.
    """
    return render(
        "validation.html",
        style="evaluation.css",
        v=found,
        m=found.part,
        first=tuple(doubts_of(found)),
        figures=[one for one in figures if one.name in SHOWN],
        needs=[(words, getattr(found.size.needed, name)) for name, words in _NEEDS],
        meanings=meanings(),
        fits=_FITS,
        told=estimate,
    )


def doubts_of(found: Validated) -> Iterator[str]:
    """Say what speaks against trusting the model here, the gravest first."""
    size, part, flow = found.size, found.part, found.flow
    if found.calibrated_here:
        yield "The model was recalibrated on these very patients: nothing here validates it"
    if not size.enough:
        yield (
            f"Too few patients for a precise answer: {size.n_patients} with {size.n_events} HT, "
            f"where {size.needed.required:,} with {math.ceil(size.needed.events)} are needed. "
            "Read the intervals, not the values"
        )
    refused = flow.n_scans - flow.n_predicted
    if refused > flow.n_scans / 10:
        yield f"{percent(refused / flow.n_scans)} of the scans got no prediction"
    if flow.n_labelled < flow.n_patients * 0.9:
        lost = flow.n_patients - flow.n_labelled
        yield f"The outcome of {lost} of {flow.n_patients} patients is not known: they may differ"
    calibration = dict(part.calibration.metrics)
    ratio, slope = (calibration.get(name) for name in ("observed_expected", "calibration_slope"))
    if ratio and not ratio.ci_low <= 1 <= ratio.ci_high and math.isfinite(ratio.ci_low):
        yield f"HT is seen {estimate(ratio)} times for each that the model expects"
    if slope and not slope.ci_low <= 1 <= slope.ci_high and math.isfinite(slope.ci_low):
        kind = "too extreme" if slope.value < 1 else "too cautious"
        yield f"The risks are {kind}: calibration slope {estimate(slope)}"
    if found.drifted:
        yield f"Not as where the model learned: {', '.join(found.drifted)}"
    if found.others:
        yield (
            f"{found.others} other model(s) were held against these outcomes before. The best of "
            "several is too good here: choose on other patients, and validate the one chosen"
        )


def validation_record(found: Validated) -> dict[str, Any]:
    """Return ``validation.json``: what was validated, on whom, and the main numbers."""
    part, change = found.part, found.recalibration
    numbers = {**dict(part.metrics), **dict(part.calibration.metrics)}
    return {
        "schema_version": 1,
        "model": {"name": found.model, "version": found.version, "hash": found.hash},
        "simulated": found.evaluation.simulated,
        "flow": asdict(found.flow) | {"refusals": dict(found.flow.refusals)},
        "expected": asdict(found.size.expected),
        "needed": asdict(found.size.needed),
        "enough": found.size.enough,
        "metrics": {
            name: {
                "value": _finite(numbers[name].value),
                "ci_low": _finite(numbers[name].ci_low),
                "ci_high": _finite(numbers[name].ci_high),
            }
            for name in ("auc", "brier", "observed_expected", "calibration_slope")
            if name in numbers
        },
        "drifted": list(found.drifted),
        "recalibration": None if change is None else change.change.value,
        "other_models": found.others,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

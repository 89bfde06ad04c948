"""The page of an evaluation: one file, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from markupsafe import Markup

from hemocast.evaluate.result import EvaluationResult, ModelPart
from hemocast.report.evaluation.figures import Drawn
from hemocast.report.page import TEMPLATES, Page, render, write_text
from hemocast.report.readers.tables import TITLES, estimates_of
from hemocast.report.words import RESEARCH_NOTICE
from hemocast.stats import Estimate

METRIC_TITLES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "ppv": "PPV",
    "specificity": "Specificity",
    "f1": "F1",
    "auc": "AUC",
    "npv": "NPV",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "brier": "Brier score",
    "lr_positive": "Likelihood ratio, positive",
    "lr_negative": "Likelihood ratio, negative",
    "mcc": "Matthews correlation",
    "average_precision": "Average precision",
    "scaled_brier": "Scaled Brier score",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
    "calibration_line": "Calibration line",
    "ici": "ICI",
    "e50": "E50",
    "e90": "E90",
    "emax": "Emax",
}
_SOURCES = {
    "column": "as the table gives it",
    "option": "as asked for",
    "default": "by default",
}


def write_evaluation_page(
    result: EvaluationResult,
    figures: Sequence[Drawn],
    reader_figures: Sequence[Drawn],
    path: Path,
) -> None:
    """Write the page of an evaluation, or (without models) of a reader study.

    Parameters
    ----------
    result : EvaluationResult
        What to show; every text is escaped.
    figures, reader_figures : sequence of Drawn
        Of the models, and of the readers.
    path : Path
        A ``.html``; written under a temporary name, then renamed.
    """
    text = render(
        "evaluation.html",
        script=False,
        own=evaluation_style(),
        r=result,
        figures=figures,
        reader_figures=reader_figures,
        titles=METRIC_TITLES,
        reader_titles=TITLES,
        sources=_SOURCES,
        number=_number,
        noted=_noted,
        rebased_notes=_rebased_notes,
        estimates_of=estimates_of,
        research_notice=RESEARCH_NOTICE,
    )
    write_text(text, path)


def _number(value: float, digits: int) -> str:
    return "infinite" if math.isinf(value) else f"{value:.{digits}f}"


def _noted(metrics: Iterable[tuple[str, Estimate]]) -> str:
    """Join the warnings of a row, each with the metrics it concerns."""
    found: dict[str, list[str]] = {}
    for name, value in metrics:
        if value.warning:
            title = METRIC_TITLES.get(name) or TITLES[name]
            found.setdefault(value.warning, []).append(title)
    return "; ".join(f"{', '.join(names)}: {warning}" for warning, names in found.items())


def _rebased_notes(model: ModelPart) -> str:
    return "; ".join(
        dict.fromkeys(
            f"{name}: {value.warning}"
            for row in model.rebased
            for name, value in (("PPV", row.ppv), ("NPV", row.npv))
            if value.warning
        )
    )


@cache
def evaluation_style() -> Page:
    """The pages' common style with this page's own, and no script."""
    style = "".join(
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "evaluation.css")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; script-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Page(Markup(style), Markup(""), policy)  # noqa: S704 - our own file

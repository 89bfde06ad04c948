"""Predictions of anyone's model in; tables, figures and a page out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hemocast.errors import OutputExists
from hemocast.evaluate.result import EvaluationResult
from hemocast.evaluate.run import (
    EvaluationOptions,
    Progress,
    Tables,
    analyse_readers,
    evaluate_inputs,
    read_inputs,
)
from hemocast.files import Output, claim, kind_of
from hemocast.report.evaluation.figures import draw_evaluation
from hemocast.report.evaluation.page import evaluation_page
from hemocast.report.evaluation.tables import evaluation_tables
from hemocast.report.figures.drawing import Drawing, drawing_files
from hemocast.report.readers.figures import draw_readers
from hemocast.report.readers.tables import reader_tables
from hemocast.workbook import workbook

__all__ = ["EvaluationOptions", "Tables", "analyse_files", "evaluate_files"]

PAGE, WORKBOOK = "report.html", "tables.xlsx"
_ALWAYS = {
    "evaluation": (
        "metrics.json", "metrics.csv", "thresholds.csv", "prevalence.csv", "calibration.csv",
        "decision.csv", PAGE,
    ),
    "reader study": ("table2.csv", "table2.tex", "reader_tests.csv", "agreement.csv", PAGE),
}  # fmt: skip
"""What every run of a kind writes, beside the workbook."""
_OLDER = (
    *_ALWAYS["evaluation"], *_ALWAYS["reader study"], "comparisons.csv", "subgroups.csv",
    "interactions.csv", "times.csv",
)  # fmt: skip
_OLDER_FIGURES = ("roc", "confusion", "decision", "calibration-", "subgroups-", "readers-", "agree")
"""What version 0.1 wrote, which kept no record of it."""


def evaluate_files(
    tables: Tables,
    out: Path,
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Evaluate the models of a table, with readers and subgroups where these are given.

    Parameters
    ----------
    tables : Tables
        All are read and checked before anything is computed.
    out : Path
        Folder for all that is written: new, empty, or of an earlier evaluation, whose files are
        replaced unless somebody changed them.
    options : EvaluationOptions, optional
        How to evaluate.
    progress : callable, optional
        Called with (stage, done, total).

    Returns
    -------
    EvaluationResult
        What was written.

    Raises
    ------
    NothingThere, TableError
        A table that cannot be used, with all its faults.
    UsageError
        Options that do not fit the table.
    OutputExists, NotWritable, InUse
        `out` holds somebody's files or one of the tables under a name of ours, cannot be written
        to, or is being written to.
    """
    chosen, tell = options or EvaluationOptions(), progress or _silent
    found = read_inputs(tables, chosen.threshold, chosen.level)
    chosen.check(found.predictions.models)
    with _claimed(out, "evaluation", tables) as output:
        result = evaluate_inputs(found, chosen, tell)
        tell("drawing", 0, 1)
        tables_made: dict[str, str | bytes] = {**evaluation_tables(result)}
        output.write_all(_with_workbook(tables_made | _figures_and_page(result)))
        tell("drawing", 1, 1)
    return result


def analyse_files(
    tables: Tables,
    out: Path,
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Analyse a reader study beside the models of a table: its tables, figures and page alone.

    Parameters
    ----------
    tables, out, options, progress
        As for `evaluate_files`; with readings.

    Raises
    ------
    NothingThere, TableError, OutputExists, NotWritable, InUse
        As for `evaluate_files`.
    """
    chosen, tell = options or EvaluationOptions(), progress or _silent
    found = read_inputs(tables, chosen.threshold, chosen.level)
    with _claimed(out, "reader study", tables) as output:
        tell("readers", 0, 1)
        result = EvaluationResult(
            models=(),
            readers=analyse_readers(found, chosen),
            simulated=found.simulated,
            resampling=chosen.resampling,
        )
        output.write_all(_with_workbook(_figures_and_page(result)))
        tell("readers", 1, 1)
    return result


def _silent(stage: str, done: int, total: int) -> None:
    return None


def _figures_and_page(result: EvaluationResult) -> dict[str, str | bytes]:
    """All figures, the readers' tables, and the page."""
    files: dict[str, str | bytes] = {}
    figures = draw_evaluation(result) if result.models else ()
    readers: tuple[Drawing, ...] = ()
    if result.readers is not None:
        files |= reader_tables(result.readers, simulated=result.simulated)
        readers = draw_readers(result.readers, simulated=result.simulated)
    page = evaluation_page(result, figures, readers)
    return files | drawing_files((*figures, *readers)) | {PAGE: page}


def _with_workbook(files: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
    """Add all CSV tables once more, as the sheets of one Excel workbook."""
    sheets = {
        name.removesuffix(".csv"): list(csv.reader(io.StringIO(text)))
        for name, text in files.items()
        if name.endswith(".csv") and isinstance(text, str)
    }
    return {**files, WORKBOOK: workbook(sheets)}


@contextmanager
def _claimed(out: Path, kind: str, tables: Tables) -> Iterator[Output]:
    """Make the output folder ours, or refuse before anything is computed."""
    older = _is_older(out) and kind_of(out) is None
    with claim(out, kind, also=older) as output:
        if older:
            output.adopt(_older_files(out))
        mine = [path.name for path in tables.paths if output.wrote(path)]
        if mine:
            raise OutputExists(
                f"{len(mine)} of the tables to be evaluated lie in the output folder, among what "
                "an earlier evaluation wrote and this one would replace",
                "tables from elsewhere",
                "Name another folder with --out",
            )
        output.check()
        output.check((*_ALWAYS[kind], WORKBOOK))
        yield output


def _is_older(out: Path) -> bool:
    """Whether version 0.1, which left no record, made the folder: its page and its table say so."""
    try:
        page = (out / PAGE).read_text(encoding="utf-8")
        if 'name="generator" content="Hemocast 0.1' not in page:
            return False
        if not (out / "metrics.json").exists():
            return (out / "table2.tex").is_file()
        found = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        return "schema_version" in found and str(found.get("software")).startswith("hemocast 0.1")
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def _older_files(out: Path) -> Iterator[str]:
    yield from (name for name in dict.fromkeys(_OLDER) if (out / name).is_file())
    for path in (out / "figures").glob("*.*"):
        if path.name.startswith(_OLDER_FIGURES) and path.suffix in (".svg", ".png"):
            yield f"figures/{path.name}"

"""Predictions of anyone's model in; tables, figures and a page out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.evaluate.calibration import MOST_FOR_CURVE
from hemocast.evaluate.comparisons import compare_models
from hemocast.evaluate.inputs.clinical import Clinical, Grouping, read_clinical
from hemocast.evaluate.inputs.predictions import PredictionTable, read_predictions
from hemocast.evaluate.inputs.readings import read_readings
from hemocast.evaluate.models import evaluate_model
from hemocast.evaluate.result import EvaluationResult, InteractionRow, ModelPart, SubgroupRow
from hemocast.evaluate.subgroups import evaluate_subgroups
from hemocast.files import claim
from hemocast.readers.analysis.analyse import ReaderAnalysis, analyse_readings
from hemocast.readers.analysis.data import ReadingTable
from hemocast.report.evaluation.figures import MOST_CURVES, draw_evaluation
from hemocast.report.evaluation.page import evaluation_page
from hemocast.report.evaluation.tables import evaluation_tables
from hemocast.report.figures.drawing import Drawing, drawing_files
from hemocast.report.figures.roc import RocLine
from hemocast.report.figures.style import shortened
from hemocast.report.readers.figures import draw_readers
from hemocast.report.readers.tables import reader_tables
from hemocast.stats import Resampling, auc_interval, roc_curve

Progress = Callable[[str, int, int], None]
N_RESAMPLES = 2000
PAGE = "report.html"


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate.

    Parameters
    ----------
    threshold : float or None
        For all models; None leaves it to the table.
    n_resamples, seed : int
        Of every bootstrap.
    """

    threshold: float | None = None
    n_resamples: int = N_RESAMPLES
    seed: int = 0

    @property
    def resampling(self) -> Resampling:
        """How patients are resampled."""
        return Resampling(self.n_resamples, self.seed)


@dataclass(frozen=True)
class _Inputs:
    predictions: PredictionTable
    readings: ReadingTable | None
    clinical: Clinical | None

    @property
    def simulated(self) -> bool:
        return (
            self.predictions.simulated
            or (self.readings is not None and self.readings.simulated)
            or (self.clinical is not None and self.clinical.simulated)
        )


def evaluate_files(
    predictions: Path,
    out: Path,
    *,
    readings: Path | None = None,
    clinical: Path | None = None,
    labels: Path | None = None,
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Evaluate the models of a table, with readers and subgroups where these are given.

    Parameters
    ----------
    predictions, readings, clinical, labels : Path
        Tables; see ``docs/evaluation.md``. All are read and checked before anything is computed.
        Predictions without labels take those of `labels`, or those beside `clinical`.
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
    OutputExists, NotWritable, InUse
        `out` holds somebody's files, cannot be written to, or is being written to.
    """
    chosen = options or EvaluationOptions()
    tell = progress or _silent
    found = _read(predictions, readings, clinical, labels, chosen)
    with claim(out, "evaluation") as output:
        output.check()
        result = _compute(found, chosen, tell)
        tell("drawing", 0, 1)
        figures = draw_evaluation(result)
        output.write_all(evaluation_tables(result) | _files(result, found, figures))
        tell("drawing", 1, 1)
    return result


def analyse_files(
    readings: Path,
    predictions: Path,
    out: Path,
    *,
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Analyse a reader study beside the models of a table: its tables, figures and page alone.

    Parameters
    ----------
    readings, predictions, out, options, progress
        As for `evaluate_files`.

    Raises
    ------
    NothingThere, TableError, OutputExists
        As for `evaluate_files`.
    """
    chosen = options or EvaluationOptions()
    tell = progress or _silent
    found = _read(predictions, readings, None, None, chosen)
    with claim(out, "reader study") as output:
        output.check()
        tell("readers", 0, 1)
        result = EvaluationResult(
            models=(),
            readers=_readers(found, chosen),
            simulated=found.simulated,
            n_resamples=chosen.n_resamples,
            seed=chosen.seed,
        )
        output.write_all(_files(result, found, ()))
        tell("readers", 1, 1)
    return result


def _silent(stage: str, done: int, total: int) -> None:
    return None


def _read(
    predictions: Path,
    readings: Path | None,
    clinical: Path | None,
    labels: Path | None,
    options: EvaluationOptions,
) -> _Inputs:
    beside = None if clinical is None else clinical.parent / "labels.tsv"
    table = read_predictions(
        predictions,
        threshold=options.threshold,
        labels=labels,
        spare_labels=beside if beside is not None and beside.is_file() else None,
    )
    return _Inputs(
        predictions=table,
        readings=None if readings is None else read_readings(readings, table),
        clinical=(
            None if clinical is None else read_clinical(clinical, table.participant, table.scan)
        ),
    )


def _compute(found: _Inputs, options: EvaluationOptions, tell: Progress) -> EvaluationResult:
    table = found.predictions
    models: list[ModelPart] = []
    subgroups: list[SubgroupRow] = []
    interactions: list[InteractionRow] = []
    groupings = _groupings(found)
    steps = len(table.models)
    for done, scores in enumerate(table.models):
        tell("models", done, steps)
        models.append(evaluate_model(scores, options.resampling))
        rows, tests = evaluate_subgroups(scores, groupings, options.resampling)
        subgroups += rows
        interactions += tests
    tell("models", steps, steps)
    comparisons = compare_models(table.models, options.resampling)
    return EvaluationResult(
        models=tuple(models),
        comparisons=comparisons,
        subgroups=tuple(subgroups),
        interactions=tuple(interactions),
        readers=None if found.readings is None else _readers(found, options),
        simulated=found.simulated,
        n_resamples=options.n_resamples,
        seed=options.seed,
        notes=_notes(found),
    )


def _groupings(found: _Inputs) -> tuple[Grouping, ...]:
    """Take the table's own columns first; a clinical table adds what they lack."""
    own = found.predictions.groupings
    names = {grouping.name for grouping in own}
    more = () if found.clinical is None else found.clinical.groupings
    return (*own, *(grouping for grouping in more if grouping.name not in names))


def _notes(found: _Inputs) -> tuple[str, ...]:
    notes = []
    table, clinical = found.predictions, found.clinical
    if table.n_refused:
        notes.append(
            f"{table.n_refused} row(s) without a prediction (refused or failed) were left out: the "
            "results hold for the others"
        )
    unused = table.unused + (() if clinical is None else clinical.unused)
    if unused:
        notes.append("columns that give no subgroups: " + "; ".join(unused))
    if clinical is not None and clinical.n_unknown:
        notes.append(
            f"{clinical.n_unknown} participant(s) are not in the clinical table; their groups are "
            "not known"
        )
    several = {model.rows.size for model in table.models}
    if len(several) > 1:
        notes.append(
            "the models rated different numbers of scans; comparisons use the scans that both rated"
        )
    if any(model.rows.size > MOST_FOR_CURVE for model in table.models):
        notes.append(
            f"calibration was measured on a random {MOST_FOR_CURVE} scans of each model that rated "
            "more"
        )
    if len(table.models) > MOST_CURVES:
        notes.append(f"figures show the first {MOST_CURVES} models; the tables hold all")
    return tuple(notes)


def _readers(found: _Inputs, options: EvaluationOptions) -> ReaderAnalysis:
    table, readings = found.predictions, found.readings
    if readings is None:
        raise ValueError("no readings were read")
    return analyse_readings(readings, table.models, options.resampling)


def _files(
    result: EvaluationResult, found: _Inputs, figures: tuple[Drawing, ...]
) -> dict[str, str | bytes]:
    """All figures, the readers' tables, and the page."""
    files: dict[str, str | bytes] = {}
    readers: tuple[Drawing, ...] = ()
    if result.readers is not None:
        files |= reader_tables(result.readers, simulated=result.simulated)
        readers = draw_readers(result.readers, _lines(found), simulated=result.simulated)
    page = evaluation_page(result, figures, readers)
    return files | drawing_files((*figures, *readers)) | {PAGE: page}


def _lines(found: _Inputs) -> list[RocLine]:
    """Curves of the models on the scans that somebody read."""
    table, readings = found.predictions, found.readings
    if readings is None:
        return []
    read = np.unique(readings.row[readings.repeat == 0])
    lines = []
    for model in table.models[:MOST_CURVES]:
        cases = model.on(read).cases
        try:
            area, curve = auc_interval(cases), roc_curve(cases)
        except StatisticsError:
            continue
        called = cases.score >= model.threshold
        point = (float(called[~cases.truth].mean()), float(called[cases.truth].mean()))
        lines.append(RocLine(shortened(model.name, 18), curve, area, None, point))
    return lines

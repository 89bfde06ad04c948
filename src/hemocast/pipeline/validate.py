"""A model and a new hospital's dataset in; whether it holds there, out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hemocast.dataset import Dataset
from hemocast.dataset.scan_id import ALL
from hemocast.dataset.split.by_patient import part_hash
from hemocast.errors import TooFewPatients
from hemocast.evaluate.inputs.predictions import PredictionTable, read_predictions
from hemocast.evaluate.result import EvaluationResult
from hemocast.evaluate.run import EvaluationOptions, Tables
from hemocast.evaluate.validation.likeness import Doubted, compare_tables, count_doubted
from hemocast.evaluate.validation.recalibrated import Recalibration, try_recalibration
from hemocast.evaluate.validation.result import Flow, Validated
from hemocast.evaluate.validation.size import Expected, check_size
from hemocast.files import Output, check_folder, claim, write_table
from hemocast.model import Model, load, load_default
from hemocast.model.gate import UNLIKE
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.evaluate import evaluate_files
from hemocast.pipeline.predict import Beside, Case, cases_of, predict_cases
from hemocast.pipeline.recalibrate import logits_of
from hemocast.pipeline.sign_cells import SIGNS
from hemocast.pipeline.study.records import Sources
from hemocast.pipeline.study.run import write_study
from hemocast.report.evaluation.figures import draw_evaluation
from hemocast.report.validation.page import PAGE, validation_page, validation_record
from hemocast.stats import Resampling
from hemocast.tables import read_table

KIND = "validation"
PREDICTIONS, EVALUATION, STUDY = "predictions", "evaluation", "study"
SCANS, RECORD = "scans.csv", "validation.json"
REGISTER = Path("derivatives") / "hemocast" / "validations.tsv"
"""In the dataset: which models its outcomes were ever held against."""
USUAL_AUC = 0.8
"""Assumed where none is named: less than the .842 of Zhang et al. 2026
(10.3389/fnins.2025.1753071), whose test patients were of the same hospital."""


@dataclass(frozen=True)
class ValidateOptions:
    """What is expected, and how to run.

    Parameters
    ----------
    auc : float
        Expected of the model, named before its predictions were looked at.
    prevalence : float, optional
        Of HT, expected; what the model assumes where left out.
    reference : Path, optional
        A table that scans and predictions are compared with, such as the predictions of the
        model's own test part.
    clinical : Path, optional
        For a model of the clinical record; the dataset's own where left out.
    maps : Path, optional
        For a model of a co-registered map.
    workers : int
        Processes that predict.
    resampling : Resampling
        Of patients.
    progress : callable, optional
        Called with (stage, done, total).
    """

    auc: float = USUAL_AUC
    prevalence: float | None = None
    reference: Path | None = None
    clinical: Path | None = None
    maps: Path | None = None
    workers: int = 1
    resampling: Resampling = field(default_factory=Resampling)
    progress: Callable[[str, int, int], None] | None = None


def validate_model(
    model: Path | None, dataset: Dataset, out: Path, options: ValidateOptions | None = None
) -> Validated:
    """Predict a dataset's patients and hold the predictions against their outcomes.

    Nothing of the model is chosen or changed. A run that was stopped goes on when started again.

    Parameters
    ----------
    model : Path or None
        The model's folder; None: the demonstration model.
    dataset : Dataset
        Of the new hospital, with outcomes.
    out : Path
        Folder for the page (``report.html``), ``validation.json``, ``scans.csv`` and, below it, the
        predictions, the whole evaluation and the filled checklists; new, or of such a run.
    options : ValidateOptions, optional

    Raises
    ------
    ModelNotFound, ModelCorrupt
        There is no such model.
    NothingThere, DatasetError, TableError
        There is no dataset of Hemocast's, or its outcomes are missing or bad.
    TooFewPatients
        No scan of a patient with a known outcome.
    NoRecord, NoMap, UsageError
        As `hemocast.pipeline.predict.predict_cases` says.
    StatisticsError
        What is expected cannot be, or the reference is too small.
    OutputExists, NotWritable, NoSpace, InUse
        The folder holds something else, or cannot be written to.
    """
    options = options or ValidateOptions()
    loaded = load_default() if model is None else load(model)
    dataset.refuse_foreign()
    check_folder(out, KIND)
    dataset.check_writable()
    labels = dataset.labels()
    assumed = loaded.description.calibration.assumed
    expected = Expected(options.auc, options.prevalence or assumed)
    check_size(expected, 0, 0)
    scans = cases_of([dataset.root])
    cases = _known(scans, labels)
    with claim(out, KIND) as output:
        tally = _predict(cases, loaded, dataset, out, options)
        found = evaluate_files(
            _tables(dataset, out),
            out / EVALUATION,
            EvaluationOptions(resampling=options.resampling),
            options.progress,
        )
        _write_scans(out, output)
        flow = _flow({one.participant_id for one in scans}, labels, len(cases), tally, out)
        validated = _told(loaded, dataset, expected, labels, flow, found, out, options.reference)
        output.write_text(PAGE, validation_page(validated, draw_evaluation(found)))
        output.write_json(RECORD, validation_record(validated))
        predictions = out / PREDICTIONS / "predictions.csv"
        write_study(
            Sources(evaluation=out / EVALUATION, model=model, predictions=predictions), out / STUDY
        )
    return validated


def _known(scans: Sequence[Case], labels: Mapping[str, int]) -> tuple[Case, ...]:
    """Give the scans of patients with a known outcome."""
    known = tuple(one for one in scans if one.participant_id in labels)
    if not known:
        raise TooFewPatients(
            f"None of {len(labels)} patient(s) with a known outcome has a scan in the dataset",
            "scans of patients whose outcome is known",
            "Take scans in with 'hemocast ingest', with their labels",
        )
    return known


def _predict(
    cases: tuple[Case, ...], model: Model, dataset: Dataset, out: Path, options: ValidateOptions
) -> Counter[str]:
    """Predict what was not predicted yet; count what became of the scans by status."""
    clinical = options.clinical
    if clinical is None and model.needs_record:
        clinical = dataset.root
    tell = stage_of(options.progress, "predicting")
    tally: Counter[str] = Counter()
    run = predict_cases(
        cases, model, out / PREDICTIONS,
        beside=Beside(clinical, options.maps), resume=True, workers=options.workers,
    )  # fmt: skip
    for result in run:
        tally[result.status] += 1
        if tell:
            tell(sum(tally.values()), len(cases))
    return tally


def _tables(dataset: Dataset, out: Path) -> Tables:
    """Name the tables of the evaluation; what subgroups there are, the dataset's tables say."""
    beside = [dataset.path(name) for name in ("clinical", "participants")]
    clinical = next((path for path in beside if path.is_file()), None)
    table = out / PREDICTIONS / "predictions.csv"
    return Tables(table, clinical=clinical, labels=dataset.path("labels"))


def _write_scans(out: Path, output: Output) -> None:
    """Keep one table of predicted scans with what was measured on them: a reference for others."""
    rows = _done(out)
    signs = read_table(out / PREDICTIONS / "signs.csv")
    wide = rows.merge(signs.drop(columns=["participant_id", "simulated"]), "left", on="scan_id")
    columns = ("participant_id", "scan_id", "probability", *SIGNS, "slice_mm", "simulated")
    kept = wide[[name for name in columns if name in wide]]
    output.write_text(SCANS, kept.to_csv(index=False, lineterminator="\n"))


def _done(out: Path) -> Any:
    """Return the rows of predicted scans."""
    table = read_table(out / PREDICTIONS / "predictions.csv")
    return table[(table["status"] == "done") & (table["scan_id"] != ALL)]


def _told(
    model: Model,
    dataset: Dataset,
    expected: Expected,
    labels: Mapping[str, int],
    flow: Flow,
    found: EvaluationResult,
    out: Path,
    reference: Path | None,
) -> Validated:
    part, says = found.models[0], model.description
    table = read_predictions(out / PREDICTIONS / "predictions.csv", labels=dataset.path("labels"))
    return Validated(
        says.name,
        says.version,
        model.hash,
        says.population,
        says.horizon,
        flow,
        check_size(expected, part.n_patients, part.n_patients_positive),
        found,
        _doubted(model, out),
        () if reference is None else compare_tables(reference, out / SCANS),
        _recalibration(model, table, out),
        _register(dataset, model, labels, found),
        says.recalibrated_on == part_hash(sorted(set(table.participant))),
    )


def _flow(
    everyone: Set[str | None],
    labels: Mapping[str, int],
    n_scans: int,
    tally: Counter[str],
    out: Path,
) -> Flow:
    table = read_table(out / PREDICTIONS / "predictions.csv")
    codes = Counter(table.loc[table["status"].isin(["refused", "failed"]), "code"])
    return Flow(
        len(everyone),
        len(everyone & labels.keys()),
        n_scans,
        tally["done"] + tally["skipped"],
        tuple(codes.most_common()),
    )


def _doubted(model: Model, out: Path) -> Doubted | None:
    if model.description.gate is None:
        return None
    flags = _done(out)["flags"]
    return count_doubted(len(flags), int(flags.str.contains(UNLIKE, regex=False).sum()))


def _recalibration(model: Model, table: PredictionTable, out: Path) -> Recalibration | None:
    """Try what calibrating to these patients would bring."""
    logit = logits_of(out / PREDICTIONS / "predictions.csv", table)
    truth, calibration = table.truth.astype(np.int64), model.description.calibration
    return try_recalibration(calibration, logit, truth, table.patient)


def _register(
    dataset: Dataset, model: Model, labels: Mapping[str, int], found: EvaluationResult
) -> int:
    """Note in the dataset that its outcomes judged this model; count the others they judged."""
    outcomes = "".join(f"{one}\t{labels[one]}\n" for one in sorted(labels))
    part, says = found.models[0], model.description
    mine = {
        "model": says.name,
        "version": says.version,
        "model_hash": model.hash,
        "outcomes_sha256": hashlib.sha256(outcomes.encode()).hexdigest(),
        "n_patients": part.n_patients,
        "auc": part["auc"].value,
    }
    path = dataset.root / REGISTER
    before = read_table(path).to_dict("records") if path.is_file() else []
    others = [
        {name: row.get(name) for name in mine}
        for row in before
        if row.get("model_hash") != model.hash
    ]
    with dataset.writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, [*others, mine], list(mine))
    return len({row["model_hash"] for row in others})

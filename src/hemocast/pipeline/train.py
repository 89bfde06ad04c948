"""Dataset in; split by patient, a trained model, and its result on the held-out patients, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.recipes import RECIPES
from hemocast.config import Config
from hemocast.dataset import Dataset, Split, save_split, split_patients
from hemocast.dataset.split.leakage import (
    check_leakage,
    files_of_split,
    find_copies,
    refuse_leaks,
)
from hemocast.dataset.split.saved import read_split, refuse_other
from hemocast.dataset.stacks import PreparedScan, ScanFile
from hemocast.errors import ConfigError, TooFewPatients
from hemocast.files import Output, check_space, reserved
from hemocast.model import Model, Purpose
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.study.card import write_card
from hemocast.pipeline.study.records import Sources
from hemocast.pipeline.training_data import Cohort, bytes_of, prepare_cohort, try_model
from hemocast.pipeline.training_run import HISTORY, TEST_METRICS, TEST_PREDICTIONS, Run
from hemocast.report.checklists.checklist import Statement
from hemocast.report.checklists.form import MODEL_CARD
from hemocast.report.figures.drawing import Drawing, drawing_files
from hemocast.report.figures.training import training_figure
from hemocast.report.words import METRIC_TITLES
from hemocast.report.words import estimate as words
from hemocast.stats import Cases, Evaluation, Resampling, evaluate
from hemocast.volume import from_levels

if TYPE_CHECKING:
    from hemocast.train import Fitted, StackTable

__all__ = ["Purpose", "TrainOptions", "Trained", "train_and_test"]

# Called with (stage, done, total).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TrainOptions:
    """How to split, and how to run.

    Parameters
    ----------
    test_fraction : float
        Fraction of the patients of each class that is held out (the paper: 0.1).
    split : Path, optional
        A table of who is in which part (``train``, ``test``, and ``validation`` where the inner
        validation part is not to be drawn) to use instead, as it is.
    workers : int
        Processes for preparing.
    progress : callable, optional
        Called with (stage, done, total).
    nearest_cases : bool
        Keep pseudonym, outcome and features of every scan of the training part in the model's
        folder, so that the page of a prediction can name those most like its scan. For the owner of
        the data to decide, here and in no settings file that is passed from hand to hand.
    """

    test_fraction: float = 0.1
    split: Path | None = None
    workers: int = 1
    progress: Progress | None = None
    nearest_cases: bool = False


@dataclass(frozen=True)
class Trained:
    """A trained model and what it reached on patients it never saw.

    Parameters
    ----------
    model : Model
        As loaded from its folder.
    fitted : Fitted
        The training's history and inner parts.
    split : Split
        Training and test patients.
    receipt : mapping
        Counts, overlap and hashes of the split.
    refused : tuple of PreparedScan
        Scans without a stack, with the reason.
    test : tuple of ScanFile
        Test scans, in the order of the arrays.
    label, probability : ndarray, shape (n,)
        Outcome and calibrated probability of the test scans.
    evaluation : Evaluation
        The metrics on them, at the model's threshold.
    """

    model: Model
    fitted: Fitted
    split: Split
    receipt: Mapping[str, Any]
    refused: tuple[PreparedScan, ...]
    test: tuple[ScanFile, ...]
    label: NDArray[np.int64]
    probability: NDArray[np.float64]
    evaluation: Evaluation

    def __repr__(self) -> str:
        """One line: the model and its held-out result."""
        return f"Trained({self.model!r}, AUC {self.evaluation['auc'].value:.3f} on the held-out)"


def train_and_test(
    dataset: Dataset, config: Config, out: Path, purpose: Purpose, options: TrainOptions
) -> Trained:
    """Split a dataset by patient, train on one part, save the model, test it on the other.

    The split and its receipt go to the dataset's ``splits``; prepared stacks, the training run, the
    test predictions, ``model_card.md`` and the learning curve to its ``derivatives``. An
    interrupted run goes on when started again. Whatever can be refused is refused before the first
    scan is read.

    Parameters
    ----------
    dataset : Dataset
        With labels.
    config : Config
        Settings; ``config.train.seed`` draws the split too.
    out : Path
        Folder for the model; new or empty.
    purpose : Purpose
        What the model is for; whether the dataset is simulated is read from it.
    options : TrainOptions
        How to split, and how to run.

    Raises
    ------
    MissingExtra, ConfigError
        Training needs what is not installed, the network cannot be built from the settings, or
        nearest cases are wanted of a model from measurements.
    NothingThere, DatasetError, TableError
        There is no dataset of Hemocast's, or its labels are missing or bad.
    TooFewPatients
        A part would have no patient of a class.
    NoMap, NoSigns
        The model needs a map, or signs, of every scan, and there are none.
    LeakageError
        The given split has a patient, or a scan under two names, in both parts.
    OutputExists
        The model's folder holds something; or the run or the split has the name of another one.
    NotWritable, NoSpace, InUse
        The output cannot be written to, or somebody else does.
    """
    from hemocast.train import fit, pack

    if options.nearest_cases and config.net.name in RECIPES:
        raise ConfigError(
            f"Nearest cases are wanted of {config.net.name}, which has no features of its own",
            "a network",
            "Leave --nearest-cases out, or choose another --net",
        )
    cohort = Cohort.of(dataset).told_for(config)
    with reserved(out, "training"):
        run = Run(
            purpose.name, cohort, _choose_split(cohort, config, purpose.name, options), config
        )
        try_model(config)
        check_space(dataset.root, bytes_of(cohort, config))
        with run.open() as output:
            receipt = _record_split(run, options)
            run.bind(output)
            parts = run.split.parts
            prepared = prepare_cohort(
                cohort,
                config.prepare,
                run.folder,
                learned=parts["train"],
                workers=options.workers,
                progress=stage_of(options.progress, "preparing"),
            )
            table = prepared.table
            validation = parts.get("validation", ())
            fitted = fit(
                table.of((*parts["train"], *validation)),
                config,
                run.folder / "training",
                validation=validation,
                progress=_as_stage(options.progress, "training"),
            )
            version = dataset.simulator_version()
            purpose = replace(
                purpose, simulated_training_data=version is not None, simulator=version
            )
            cases = _learned(fitted, table.of(parts["train"])) if options.nearest_cases else None
            model = pack(fitted, out, purpose, prepared.examples, prepared.measured, cases)
            test = table.of(parts["test"])
            label, probability, evaluation = _test(model, test, config.train.seed)
            _write_test(output, test, probability, evaluation)
            records = Sources(model=out, dataset=dataset.root, split=run.split.name)
            write_card(output, MODEL_CARD, records, (_held_out(evaluation),))
            _draw_history(output, fitted, simulated=purpose.simulated_training_data)
    by_id = {scan.scan_id: scan for scan in cohort.scans}
    files = tuple(by_id[scan_id] for scan_id in test.scan_id)
    return Trained(
        model, fitted, run.split, receipt, prepared.refused, files, label, probability, evaluation
    )


def _learned(fitted: Fitted, train: StackTable) -> StackTable:
    """Return the scans of the split's training part that the network's weights learned from."""
    if not fitted.history or fitted.refit:
        return train
    return train.of(fitted.train.participants)


def _choose_split(cohort: Cohort, config: Config, name: str, options: TrainOptions) -> Split:
    """Read the given split, or draw one; refuse one in whose parts nobody could be trained on."""
    from hemocast.train import inner_parts

    labels = cohort.labels
    if options.split is None:
        split = split_patients(labels, options.test_fraction, config.train.seed, name=name)
    else:
        split = read_split(options.split)
    held_out = {labels[patient] for patient in split.parts.get("test", ()) if patient in labels}
    if "train" not in split.parts or len(held_out) < 2:
        raise TooFewPatients(
            "The split lacks a part train, or its test part lacks patients of a class",
            "parts train and test, each with labelled patients of both classes",
            "Check the split's table and the dataset's labels",
        )
    validation = split.parts.get("validation", ())
    learned = (*split.parts["train"], *validation)
    inner_parts({p: labels[p] for p in learned if p in labels}, config.train, validation)
    refuse_other(split, cohort.dataset.root / "splits")
    return split


def _record_split(run: Run, options: TrainOptions) -> Mapping[str, Any]:
    """Save the split; one that was given only if it does not leak by pixels, and as it is."""
    dataset, split = run.cohort.dataset, run.split
    people = [scan.participant_id for scan in run.cohort.scans]
    folder = dataset.root / "splits"
    if options.split is not None:
        if run.cohort.stacks:
            count, copies = len(run.cohort.scans), run.cohort.equal_stacks()
        else:
            scans = files_of_split(dataset, split.parts)
            moved = stage_of(options.progress, "comparing")
            count, copies = len(scans), find_copies(scans, workers=options.workers, progress=moved)
        refuse_leaks(check_leakage(split.parts, copies, count))
        if options.split.resolve().parent == folder.resolve():
            return split.receipt(run.cohort.labels, people)
    return save_split(split, run.cohort.labels, people, folder)


def _test(
    model: Model, table: StackTable, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], Evaluation]:
    """Predict as `predict` does (ONNX, then calibration), and hold it against the labels."""
    array, calibration = table.open(), model.description.calibration
    record = table.record() if model.needs_record else None
    maps = table.maps() if model.needs_map else None
    signs = table.signs() if model.needs_signs else None
    logits = [
        model.logits(
            from_levels(array[row])[None],
            record and record.part(np.array([place])),
            maps and maps.part(np.array([place])),
            signs and signs.part(np.array([place])),
        )[0]
        for place, row in enumerate(table.rows)
    ]
    probability = np.array([calibration.probability(float(one)) for one in logits])
    label = np.array(table.label, np.int64)
    cases = Cases(label, probability, np.array(table.participant_id))
    return label, probability, evaluate(cases, calibration.threshold, Resampling(seed=seed))


def _write_test(
    output: Output, test: StackTable, probability: NDArray[np.float64], evaluation: Evaluation
) -> None:
    columns = ["participant_id", "scan_id", "label", "probability", "threshold"]
    rows = [
        dict(zip(columns, (*row, round(float(value), 6), evaluation.threshold), strict=True))
        for *row, value in zip(
            test.participant_id, test.scan_id, test.label, probability, strict=True
        )
    ]
    output.write_table(TEST_PREDICTIONS, rows, columns)
    metrics = {
        name: {
            "value": _finite(e.value),
            "ci_low": _finite(e.ci_low),
            "ci_high": _finite(e.ci_high),
            "ci_method": e.ci_method,
            "warning": e.warning,
        }
        for name, e in evaluation.items()
    }
    content = {"n": evaluation.n, "n_patients": evaluation.n_patients, "metrics": metrics}
    output.write_json(TEST_METRICS, content)


def _draw_history(output: Output, fitted: Fitted, *, simulated: bool) -> None:
    """Draw the learning curve of a network, as SVG and PNG."""
    if not fitted.history:
        return
    figure = training_figure(fitted.history, fitted.best_epoch, simulated=simulated)
    drawn = Drawing(HISTORY, figure, "Loss and AUC of the inner validation part by epoch.")
    for name, content in drawing_files([drawn]).items():
        output.write_bytes(name, content.encode() if isinstance(content, str) else content)


def _held_out(evaluation: Evaluation) -> Statement:
    """Say the result on the held-out patients, for the model's card."""
    found = ", ".join(
        f"{METRIC_TITLES[name]} {words(evaluation[name])}"
        for name in ("auc", "sensitivity", "specificity", "brier")
    )
    return Statement(
        "performance",
        "Performance",
        f"On {evaluation.n} held-out scans of {evaluation.n_patients} patients of the same "
        f"dataset, at the model's threshold: {found}.",
    )


def _finite(number: float) -> float | None:
    """Return the number, or None where it is undefined or infinite: JSON knows neither."""
    return float(number) if math.isfinite(number) else None


def _as_stage(progress: Progress | None, stage: str) -> Callable[[int, int, object], None] | None:
    if progress is None:
        return None
    return lambda done, total, _epoch: progress(stage, done, total)

"""Dataset in; split by patient, a trained model, and its result on the held-out patients, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemocast.config import Config
from hemocast.dataset import Dataset, Split, save_split, split_patients
from hemocast.dataset.layout import write_json, write_table
from hemocast.dataset.split.leakage import (
    check_leakage,
    files_of_split,
    find_copies,
    refuse_leaks,
)
from hemocast.dataset.split.saved import read_parts, read_split
from hemocast.dataset.stacks import PreparedScan, ScanFile, prepare_scans, scans_of
from hemocast.errors import TooFewPatients
from hemocast.model import Model
from hemocast.stats import Cases, Evaluation, Resampling, evaluate
from hemocast.version import VERSION
from hemocast.volume import from_levels

if TYPE_CHECKING:
    from hemocast.train import Fitted, StackTable
    from hemocast.volume import Stack

# Called with (stage, done, total).
Progress = Callable[[str, int, int], None]

# Stacks kept in memory for the model's idea of a usual input and for the check of its export.
EXAMPLES = 24


@dataclass(frozen=True)
class Purpose:
    """What a model is for: it says so with every probability.

    Parameters
    ----------
    name : str
        Of the model.
    horizon : str
        What the probability is a probability of.
    population : str
        In whom.
    """

    name: str
    horizon: str
    population: str


@dataclass(frozen=True)
class Trained:
    """A trained model and what it reached on patients it never saw.

    Parameters
    ----------
    model : Model
        As loaded from its folder.
    fitted : Fitted
        The training's course and inner parts.
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


def train_and_test(
    dataset: Dataset,
    config: Config,
    out: Path,
    purpose: Purpose,
    *,
    test_fraction: float,
    split: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Trained:
    """Split a dataset by patient, train on one part, save the model, test it on the other.

    The split and its receipt go to the dataset's ``splits``; prepared stacks, the training run and
    the test predictions to its ``derivatives``. An interrupted run goes on when started again.

    Parameters
    ----------
    dataset : Dataset
        With labels.
    config : Config
        Settings; ``config.train.seed`` draws the split too.
    out : Path
        Folder for the model; new or empty.
    purpose : Purpose
        What the model is for.
    test_fraction : float
        Fraction of the patients of each class that is held out (the paper: 0.1).
    split : Path, optional
        A table of who is in which part (``train``, ``test``) to use instead.
    workers : int
        Processes for preparing.
    progress : callable, optional
        Called with (stage, done, total).

    Raises
    ------
    NothingThere, TableError
        The dataset's labels are missing or bad.
    TooFewPatients
        A part would have no patient of a class.
    LeakageError
        The given split has a patient, or a scan under two names, in both parts.
    OutputExists
        The model's folder holds something.
    """
    from hemocast.train import fit, pack

    labels = dataset.labels()
    scans = [scan for scan in scans_of(dataset) if scan.participant_id in labels]
    with_scan = {scan.participant_id for scan in scans}
    labels = {patient: label for patient, label in labels.items() if patient in with_scan}
    if split is None:
        parts = split_patients(labels, test_fraction, config.train.seed, name=purpose.name)
    else:
        parts = _checked_split(split, dataset, labels, workers, progress)
    receipt = save_split(
        parts, labels, [scan.participant_id for scan in scans], dataset.root / "splits"
    )
    run = dataset.root / "derivatives" / "hemocast" / "runs" / purpose.name
    table, examples, refused = _stack_table(
        dataset, scans, labels, parts, config, run, workers, progress
    )
    fitted = fit(
        table.of(parts.parts["train"]),
        config,
        run / "training",
        progress=_as_stage(progress, "training"),
    )
    model = pack(
        fitted,
        config,
        out,
        name=purpose.name,
        version=VERSION,
        horizon=purpose.horizon,
        population=purpose.population,
        simulated_training_data=dataset.is_simulated(),
        examples=examples,
    )
    test = table.of(parts.parts["test"])
    probability = _probabilities(model, test)
    label = np.array(test.label, np.int64)
    evaluation = evaluate(
        Cases(label, probability, np.array(test.participant_id)),
        model.description.calibration.threshold,
        resampling=Resampling(seed=config.train.seed),
    )
    _write_test(run, test, probability, evaluation)
    by_id = {scan.scan_id: scan for scan in scans}
    files = tuple(by_id[scan_id] for scan_id in test.scan_id)
    return Trained(model, fitted, parts, receipt, refused, files, label, probability, evaluation)


def _checked_split(
    path: Path,
    dataset: Dataset,
    labels: Mapping[str, int],
    workers: int,
    progress: Progress | None,
) -> Split:
    """Read a split, refuse it if it leaks by name or by pixels, or a part lacks a class."""
    given = read_parts(path)
    scans = files_of_split(dataset, given)
    moved = None if progress is None else partial(progress, "comparing")
    copies = find_copies(scans, workers=workers, progress=moved)
    refuse_leaks(check_leakage(given, copies, len(scans)))
    for part in ("train", "test"):
        people = given.get(part, ())
        if len({labels[patient] for patient in people if patient in labels}) < 2:
            raise TooFewPatients(
                f"The {part} part of the split lacks patients of a class",
                "parts train and test, each with labelled patients of both classes",
                "Check the split's table and the dataset's labels",
            )
    return read_split(path)


def _stack_table(
    dataset: Dataset,
    scans: list[ScanFile],
    labels: Mapping[str, int],
    split: Split,
    config: Config,
    run: Path,
    workers: int,
    progress: Progress | None,
) -> tuple[StackTable, list[Stack], tuple[PreparedScan, ...]]:
    """Prepare all scans into one array; also give a few training stacks and what was refused."""
    from hemocast.train import StackTable, write_stacks

    examples: list[Stack] = []
    refused: list[PreparedScan] = []
    train = set(split.parts["train"])

    def stacks() -> Iterator[Stack | None]:
        prepared = prepare_scans(dataset, scans, config.prepare, workers=workers)
        for done, item in enumerate(prepared, start=1):
            if item.stack is None:
                refused.append(item)
            elif len(examples) < EXAMPLES and item.scan.participant_id in train:
                examples.append(item.stack)
            if progress:
                progress("preparing", done, len(scans))
            yield item.stack

    run.mkdir(parents=True, exist_ok=True)
    rows = write_stacks(stacks(), len(scans), run / "stacks.npy")
    if not rows:
        raise TooFewPatients(
            f"All {len(scans)} scans were refused, the first because: {refused[0].error}",
            "head CTs that can be prepared",
            "See the reasons and check the scans",
        )
    kept = [scans[row] for row in rows]
    table = StackTable(
        run / "stacks.npy",
        tuple(scan.participant_id for scan in kept),
        tuple(scan.scan_id for scan in kept),
        tuple(labels[scan.participant_id] for scan in kept),
        rows,
    )
    return table, examples, tuple(refused)


def _probabilities(model: Model, table: StackTable) -> NDArray[np.float64]:
    """Predict as `predict` does: ONNX, then calibration."""
    array = table.open()
    logits = [model.logits(from_levels(array[row])[None])[0] for row in table.rows]
    return np.array([model.description.calibration.probability(float(one)) for one in logits])


def _write_test(
    run: Path, test: StackTable, probability: NDArray[np.float64], evaluation: Evaluation
) -> None:
    columns = ["participant_id", "scan_id", "label", "probability", "threshold"]
    values = zip(test.participant_id, test.scan_id, test.label, probability, strict=True)
    rows = [
        dict(
            zip(columns, (*value[:3], round(float(value[3]), 6), evaluation.threshold), strict=True)
        )
        for value in values
    ]
    write_table(run / "test_predictions.tsv", rows, columns)
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
    write_json(run / "test_metrics.json", content)


def _finite(number: float) -> float | None:
    """Return the number, or None where it is undefined or infinite: JSON knows neither."""
    return float(number) if math.isfinite(number) else None


def _as_stage(progress: Progress | None, stage: str) -> Callable[[int, int, object], None] | None:
    if progress is None:
        return None
    return lambda done, total, _epoch: progress(stage, done, total)

"""What the runs of a study left on the disk, read once and checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from hemocast.config import Config
from hemocast.dataset.split.saved import find_split, read_parts, read_receipt
from hemocast.errors import NothingThere, TableError, UsageError
from hemocast.model import load
from hemocast.model.schema import Description
from hemocast.pipeline.study.dataset_facts import DatasetFacts, read_dataset
from hemocast.tables import called, read_table

METRICS = "metrics.json"
_LARGEST = 1 << 26
"""Bytes of a record beyond which it is not read."""

Rows = tuple[Mapping[str, str], ...]

RATED = ("accuracy", "sensitivity", "ppv", "specificity", "f1", "auc")
"""Metrics of Table 2."""
_LIMITS = ("ci_low", "ci_high")
_TESTED = ("first", "second", "metric", "method", "difference", *_LIMITS, "p")
_WARNED = ("metric", "value", *_LIMITS, "warning")
_COLUMNS: dict[str, tuple[str, ...]] = {
    "agreement": ("kind", "arm", "first", "measure", "n_scans", "value", *_LIMITS),
    "comparisons": (*_TESTED, "p_holm"),
    "cumulative_incidence": (
        "hours_from_onset", "n_at_risk", "ht", "ht_ci_low", "ht_ci_high", "death", "warning"
    ),
    "interactions": ("model", "grouping", "metric", "p", "p_holm", "method", "reason"),
    "left_out": (
        "model", "kind", "reason", "n_scans", "n_patients", "n_positive", "mean_predicted_risk"
    ),
    "pooled_sites": (
        "model", "n_sites", *_WARNED, "prediction_low", "prediction_high", "p"
    ),
    "prevalence": ("model", "prevalence", *_WARNED),
    "reader_tests": (*_TESTED, "scope"),
    "scenarios": ("model", "scenario", "n_scans", *_WARNED),
    "subgroups": (
        "model", "grouping", "level", "metric", "n_patients", "n_positive", "value", *_LIMITS
    ),
    "table2": (
        "rater", "kind", "arm", "n_scans",
        *(metric + end for metric in RATED for end in ("", "_ci_low", "_ci_high")),
    ),
    "thresholds": ("model", "rule", "threshold", "exploratory", *_WARNED),
    "times": ("reader", "arm", "n", "seconds_median", "seconds_q1", "seconds_q3"),
}  # fmt: skip
"""Tables of an evaluation that a study uses, and the columns it uses of them."""

AS_THEY_ARE = {
    "benchmark/table3": "Every network on the same fresh patients (SIMULATED)",
    "reproduction/table1": "Table 1 of the reproduction (SIMULATED)",
    "reproduction/table2": "Table 2 of the reproduction (SIMULATED)",
    "reproduction/table3": "Table 3 of the reproduction (SIMULATED)",
    "reproduction/figure3": "Figure 3 of the reproduction, measured (SIMULATED)",
}
"""Tables of other commands that are shown whole, and what they show."""


@dataclass(frozen=True)
class Sources:
    """The folders and tables of a study; each may be missing.

    Parameters
    ----------
    evaluation : Path or None
        Folder of ``hemocast evaluate``.
    model : Path or None
        A trained model's folder.
    dataset : Path or None
        The dataset that the model learned from.
    split : str or None
        Its split: a name or a table; None: the model's own, or the only one.
    predictions : Path or None
        The table that was evaluated: whose patients are looked for in the training part.
    benchmark, reproduction : Path or None
        Folders of ``hemocast benchmark`` and ``hemocast reproduce``.
    """

    evaluation: Path | None = None
    model: Path | None = None
    dataset: Path | None = None
    split: str | None = None
    predictions: Path | None = None
    benchmark: Path | None = None
    reproduction: Path | None = None


class _Read(BaseModel):
    """Base of what is read from JSON: frozen, and blind to what it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class EstimateRecord(_Read):
    """A number of ``metrics.json`` with its limits; None where it has none."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    n: int
    warning: str = ""


class CellsRecord(_Read):
    """A confusion matrix."""

    tp: int
    fp: int
    tn: int
    fn: int


class ModelRecord(_Read):
    """One model of ``metrics.json``."""

    n: int
    n_patients: int
    n_positive: int
    n_patients_positive: int
    prevalence: float
    threshold: float
    threshold_source: str
    confusion: CellsRecord
    metrics: dict[str, EstimateRecord]
    calibration: dict[str, EstimateRecord | str]
    warnings: tuple[str, ...] = ()

    @property
    def calibrated(self) -> dict[str, EstimateRecord]:
        """Measures of calibration."""
        return {k: v for k, v in self.calibration.items() if isinstance(v, EstimateRecord)}


class EvaluationRecord(_Read):
    """``metrics.json``."""

    software: str
    simulated: bool
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()
    models: dict[str, ModelRecord]
    comparisons: tuple[dict[str, Any], ...] = ()
    level: str = ""
    interval: str = ""
    primary: str | None = None

    @property
    def left_out(self) -> tuple[str, ...]:
        """What it says of rows that were not evaluated."""
        return tuple(note for note in self.notes if "left out" in note)


@dataclass(frozen=True)
class SplitFacts:
    """A split, by its receipt or else its table.

    Parameters
    ----------
    name : str
        Of the split.
    seed : int or None
        What it was drawn from; None where not known.
    counts : mapping
        Part -> what is counted -> how many.
    overlap : int
        Patients in more than one part.
    evaluated : mapping or None
        Part, or ``none`` -> how many of the evaluated patients are in it; None where no table of
        predictions was given.
    """

    name: str
    seed: int | None
    counts: Mapping[str, Mapping[str, int]]
    overlap: int
    evaluated: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Records:
    """All that was read.

    Parameters
    ----------
    evaluation : EvaluationRecord or None
        ``metrics.json``.
    tables : mapping
        Tables of the evaluation, the benchmark and the reproduction -> their rows.
    pictures : mapping
        Their SVG figures.
    model, model_hash : Description or None, str
        What the model's folder says, and its hash.
    config : Config or None
        Settings of the training run.
    dataset : DatasetFacts or None
        What its tables say.
    split : SplitFacts or None
        Who was learned from and who was tested.
    """

    evaluation: EvaluationRecord | None = None
    tables: Mapping[str, Rows] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    model: Description | None = None
    model_hash: str = ""
    config: Config | None = None
    dataset: DatasetFacts | None = None
    split: SplitFacts | None = None

    @property
    def simulated(self) -> bool:
        """Whether any record says that its data are simulated."""
        said = (
            self.evaluation and self.evaluation.simulated,
            self.model and self.model.simulated_training_data,
            self.dataset and self.dataset.simulated,
            any("/" in name for name in (*self.tables, *self.pictures)),
        )
        return any(said)


def read_records(sources: Sources) -> Records:
    """Read everything that is there.

    Raises
    ------
    UsageError
        No source is named.
    NothingThere
        A folder or table is not there.
    TableError
        A record cannot be read.
    ModelNotFound, ModelCorrupt, DatasetError
        As those who read models and datasets say.
    """
    if not any(value for name, value in vars(sources).items() if name != "split"):
        raise UsageError(
            "No record of a study is named",
            "at least one of --evaluation, --model, --dataset, --benchmark, --reproduction",
            "Name the folders that the study's commands wrote",
        )
    tables: dict[str, Rows] = {}
    pictures: dict[str, bytes] = {}
    evaluation = model = dataset = split = config = None
    model_hash = ""
    if sources.evaluation:
        evaluation = _evaluation(sources.evaluation)
        tables |= _tables(sources.evaluation, _COLUMNS)
        pictures |= _pictures(sources.evaluation / "figures", "")
    if sources.model:
        loaded = load(sources.model)
        model, model_hash = loaded.description, loaded.hash
    if sources.dataset:
        dataset = read_dataset(sources.dataset)
        split = _split(sources, model.name if model else None)
        config = _config(sources.dataset, model)
        if model:
            pictures |= _pictures(_run_of(sources.dataset, model) / "figures", "")
    for name in ("benchmark", "reproduction"):
        if folder := getattr(sources, name):
            columns = {PurePath(key).name: () for key in AS_THEY_ARE if key.startswith(f"{name}/")}
            found = _tables(folder if name == "benchmark" else folder / "tables", columns)
            tables |= {f"{name}/{key}": rows for key, rows in found.items()}
            pictures |= _pictures(folder / "figures", f"{name}/")
    return Records(evaluation, tables, pictures, model, model_hash, config, dataset, split)


def _text(path: Path, what: str) -> str:
    """Read a text file of no absurd size."""
    if not path.is_file():
        raise NothingThere(f"There is no {path.name} in {what}", "that file", "Check the path")
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise _unreadable(path.name) from error


def _unreadable(name: str) -> TableError:
    return TableError(
        f"{name} cannot be read", "the file as Hemocast wrote it", "Make it again with its command"
    )


def _evaluation(folder: Path) -> EvaluationRecord:
    text = _text(folder / METRICS, "the folder of the evaluation")
    try:
        return EvaluationRecord.model_validate_json(text)
    except (ValidationError, ValueError, RecursionError) as error:
        raise _unreadable(METRICS) from error


def _tables(folder: Path, columns: Mapping[str, Sequence[str]]) -> dict[str, Rows]:
    """Read the tables that a folder has of these."""
    if not folder.is_dir():
        raise NothingThere(
            f"There is no folder {folder.name} where one is named", "a folder", "Check the path"
        )
    paths = {name: folder / f"{name}.csv" for name in columns}
    return {name: _rows(path, columns[name]) for name, path in paths.items() if path.is_file()}


def _rows(path: Path, columns: Sequence[str]) -> Rows:
    table = read_table(path, may_be_empty=True)
    if not set(columns) <= set(table):
        raise _unreadable(called(path))
    return tuple(
        {str(name): str(cell) for name, cell in row.items()} for row in table.to_dict("records")
    )


def _pictures(folder: Path, prefix: str) -> dict[str, bytes]:
    return {
        prefix + path.stem: path.read_bytes()
        for path in sorted(folder.glob("*.svg"))
        if path.is_file() and path.stat().st_size < _LARGEST
    }


def _run_of(dataset: Path, model: Description) -> Path:
    return dataset / "derivatives" / "hemocast" / "runs" / model.name


def _config(dataset: Path, model: Description | None) -> Config | None:
    """Read the settings of the run that made the model, where the dataset keeps it."""
    if model is None:
        return None
    path = _run_of(dataset, model) / "run.json"
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        return Config.model_validate(json.loads(path.read_text(encoding="utf-8"))["config"])
    return None


def _split(sources: Sources, model: str | None) -> SplitFacts | None:
    """Read the split that is named, the model's own, or the only one; None where there is none."""
    if sources.dataset is None:
        return None
    own = model if model and (sources.dataset / "splits" / f"{model}.tsv").is_file() else None
    try:
        path = find_split(sources.dataset, sources.split or own)
    except (NothingThere, UsageError):
        if sources.split:
            raise
        return None
    parts = read_parts(path)
    everybody = Counter(patient for people in parts.values() for patient in people)
    receipt = read_receipt(path)
    counted = receipt.get("parts")
    counts = {part: {"patients": len(people)} for part, people in parts.items()}
    if isinstance(counted, dict):
        for part, told in counted.items():
            if part in counts and isinstance(told, dict):
                counts[part] |= {k: v for k, v in told.items() if isinstance(v, int)}
    seed = receipt.get("seed")
    return SplitFacts(
        path.stem,
        seed if isinstance(seed, int) else None,
        counts,
        sum(times > 1 for times in everybody.values()),
        _evaluated(sources.predictions, parts),
    )


def _evaluated(
    predictions: Path | None, parts: Mapping[str, Sequence[str]]
) -> dict[str, int] | None:
    """Count the evaluated patients by the part they are in."""
    if predictions is None:
        return None
    table = read_table(predictions)
    if "participant_id" not in table.columns:
        raise TableError("The table of predictions has no participant_id", "that column", "Add it")
    people = set(table["participant_id"].str.strip())
    found = {part: len(people & set(members)) for part, members in parts.items()}
    inside = {patient for members in parts.values() for patient in members}
    return found | {"none": len(people - inside)}

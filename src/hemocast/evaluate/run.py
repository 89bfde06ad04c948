"""The whole evaluation: tables read and checked, then models, comparisons and readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hemocast.errors import UsageError
from hemocast.evaluate.comparisons import (
    Margin,
    MarginOf,
    compare_models,
    compare_net_benefits,
    compare_with_reference,
)
from hemocast.evaluate.inputs.clinical import Clinical, read_clinical
from hemocast.evaluate.inputs.predictions import Level, PredictionTable, read_predictions
from hemocast.evaluate.inputs.readings import read_readings
from hemocast.evaluate.models import Points, decision_thresholds, evaluate_model
from hemocast.evaluate.result import EvaluationResult, ModelPart
from hemocast.evaluate.scenarios import against_incidence, count_left_out, incidence_of, what_if
from hemocast.readers.analysis.analyse import ReaderAnalysis, analyse_readings
from hemocast.readers.analysis.data import ReadingTable
from hemocast.stats import METRICS, GroupVariable, Resampling
from hemocast.stats.cases import ModelCases

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Tables:
    """The files that an evaluation takes; see ``docs/reference/evaluation.md``.

    Parameters
    ----------
    predictions : Path
        Of one or more models.
    readings, clinical : Path, optional
        Of the same scans by clinicians; of their patients.
    labels : Path, optional
        For predictions without labels; else those beside `clinical` are taken.
    key : bytes, optional
        Of the predictions' pseudonyms, where labels and clinical table hold ``patient_id``.
    """

    predictions: Path
    readings: Path | None = None
    clinical: Path | None = None
    labels: Path | None = None
    key: bytes | None = field(default=None, repr=False)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that were given."""
        given = (self.predictions, self.readings, self.clinical, self.labels)
        return tuple(path for path in given if path is not None)


@dataclass(frozen=True)
class Inputs:
    """What the tables hold, checked.

    Parameters
    ----------
    predictions : PredictionTable
        With the cases of every model.
    readings : ReadingTable or None
        Of its scans.
    clinical : Clinical or None
        Of its patients.
    """

    predictions: PredictionTable
    readings: ReadingTable | None
    clinical: Clinical | None

    @property
    def simulated(self) -> bool:
        """Whether one of the tables says that it is simulated."""
        given = (self.predictions, self.readings, self.clinical)
        return any(table is not None and table.simulated for table in given)

    @property
    def groupings(self) -> tuple[GroupVariable, ...]:
        """Return the table's own groupings, then those that the clinical table adds."""
        own = self.predictions.groupings
        names = {grouping.name for grouping in own}
        more = () if self.clinical is None else self.clinical.groupings
        return (*own, *(grouping for grouping in more if grouping.name not in names))


def read_inputs(tables: Tables, threshold: float | None = None, level: Level = "scan") -> Inputs:
    """Read and check all tables.

    Parameters
    ----------
    tables : Tables
        The files.
    threshold : float, optional
        For all models, whatever the table says.
    level : {"scan", "patient"}
        What is judged: see `read_predictions`.

    Raises
    ------
    NothingThere, TableError
        A table that cannot be used, with all its faults.
    """
    clinical = tables.clinical
    beside = None if clinical is None else clinical.parent / "labels.tsv"
    table = read_predictions(
        tables.predictions,
        threshold=threshold,
        labels=tables.labels,
        spare_labels=beside if beside is not None and beside.is_file() else None,
        level=level,
        key=tables.key,
    )
    return Inputs(
        predictions=table,
        readings=None if tables.readings is None else read_readings(tables.readings, table),
        clinical=(
            None if clinical is None else read_clinical(clinical, *table.everyone, tables.key)
        ),
    )


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate.

    Parameters
    ----------
    threshold : float or None
        For all models; None leaves it to the table.
    resampling : Resampling
        Of patients, in every bootstrap.
    reference, margin : str or None, float or None
        Test whether every other model is at most `margin` below the model `reference`; both or
        neither. Chosen before the data were seen.
    margin_of : {"auc", "accuracy", "sensitivity", "specificity"}
        What the margin is of.
    level : {"scan", "patient"}
        What is judged: every scan, or every patient once.
    points : Points
        Other thresholds and prevalences to look at.
    primary : str or None
        The metric that was named as primary before the numbers were seen.
    """

    threshold: float | None = None
    resampling: Resampling = field(default_factory=Resampling)
    reference: str | None = None
    margin: float | None = None
    margin_of: MarginOf = "auc"
    level: Level = "scan"
    points: Points = field(default_factory=Points)
    primary: str | None = None

    def check(self, models: tuple[ModelCases, ...]) -> None:
        """Refuse options that do not fit the models of the table.

        Raises
        ------
        UsageError
            A margin without a reference, or the other way round; one that is not between 0 and 1;
            a reference that is no model of the table, or the only one; a threshold, prevalence or
            share that is not between 0 and 1; a primary endpoint that is no metric.
        """
        asked = self.points
        shares = (
            *asked.thresholds, *asked.prevalences, *asked.sensitivities, *asked.specificities
        )  # fmt: skip
        if not all(0 < share < 1 for share in shares):
            raise UsageError(
                "A threshold, prevalence, sensitivity or specificity is not between 0 and 1",
                "fractions between 0 and 1",
                "Divide percentages by 100",
            )
        if self.primary is not None and self.primary not in METRICS:
            raise UsageError(
                "The primary endpoint is no metric",
                f"one of {', '.join(METRICS)}",
                "Correct --primary",
            )
        if self.reference is None and self.margin is None and self.margin_of == "auc":
            return
        names = {model.name for model in models}
        if self.reference is None or self.margin is None or not 0 < self.margin < 1:
            raise UsageError(
                f"The margin is {self.margin} and the reference is "
                f"{'not ' if self.reference is None else ''}given",
                "the largest acceptable loss, between 0 and 1, and the model to measure it from",
                "Give both --margin and --reference, or neither",
            )
        if self.reference not in names or len(names) < 2:
            raise UsageError(
                f"The reference is not one of the {len(names)} model(s) of the table, or the "
                "only one",
                "a name of the column model, beside another one",
                "Correct --reference",
            )


def evaluate_inputs(
    found: Inputs, options: EvaluationOptions, progress: Progress
) -> EvaluationResult:
    """Evaluate every model of the table, alone, in subgroups, and against the others.

    Parameters
    ----------
    found : Inputs
        The checked tables.
    options : EvaluationOptions
        Checked too.
    progress : callable
        Called with (stage, done, total).
    """
    models, resampling = found.predictions.models, options.resampling
    thresholds = decision_thresholds(models)
    points = replace(options.points, curve=thresholds)
    incidence = incidence_of(found.predictions.follow_up)
    parts: list[ModelPart] = []
    for done, model in enumerate(models):
        progress("models", done, len(models))
        part = evaluate_model(model, found.groupings, resampling, points)
        part = _with_left_out(part, model, found, resampling)
        if incidence:
            against = against_incidence(model, found.predictions, incidence)
            part = replace(part, scenarios=(*part.scenarios, against))
        parts.append(part)
    progress("models", len(models), len(models))
    comparisons = compare_models(models, resampling)
    if options.reference is not None and options.margin is not None:
        margin = Margin(options.reference, options.margin, options.margin_of)
        comparisons += compare_with_reference(models, margin)
    return EvaluationResult(
        models=tuple(parts),
        comparisons=comparisons,
        net_benefits=tuple(compare_net_benefits(models, thresholds, resampling)),
        readers=analyse_readers(found, options),
        simulated=found.simulated,
        resampling=resampling,
        notes=(*_primary(options.primary), *_notes(found)),
        primary=options.primary,
        level=options.level,
        incidence=incidence,
    )


def _with_left_out(
    part: ModelPart, model: ModelCases, found: Inputs, resampling: Resampling
) -> ModelPart:
    """Add what a model could not be judged on, and what that could change."""
    table = found.predictions
    return replace(
        part,
        left_out=count_left_out(table.left_out_of(model.name)),
        scenarios=what_if(model, table, found.groupings, resampling),
    )


def analyse_readers(found: Inputs, options: EvaluationOptions) -> ReaderAnalysis | None:
    """Set the readers beside the models, where there are readings."""
    if found.readings is None:
        return None
    return analyse_readings(found.readings, found.predictions.models, options.resampling)


def _primary(metric: str | None) -> Iterator[str]:
    if metric is not None:
        name = metric.replace("_", " ")
        yield (
            f"primary endpoint, named before the numbers were seen: {name}; everything else is "
            "secondary"
        )


def _notes(found: Inputs) -> Iterator[str]:
    """Say what was left out, or could not be used."""
    table, clinical = found.predictions, found.clinical
    if table.n_refused:
        yield (
            f"{table.n_refused} row(s) without a prediction (refused or failed) were left out: the "
            "results hold for the others"
        )
    if len(table.unseen[1]):
        yield (
            f"the outcome of {len(table.unseen[1])} scan(s) was never observed: the results hold "
            "for the others, and the page says what these could change"
        )
    if unused := table.unused + (() if clinical is None else clinical.unused):
        yield "columns that give no subgroups: " + "; ".join(unused)
    if clinical is not None and clinical.n_unknown:
        yield (
            f"{clinical.n_unknown} participant(s) are not in the clinical table; their groups are "
            "not known"
        )
    sizes = {model.cases.n for model in table.models}
    if len(sizes) > 1:
        yield (
            "the models rated different numbers of scans; comparisons use the scans that both rated"
        )

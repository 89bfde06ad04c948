"""Dataset in; every patient predicted once by a network that never saw them, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hemocast.config import Config
from hemocast.dataset import Dataset, Split
from hemocast.dataset.scan_id import ALL
from hemocast.dataset.split.draw import SplitPlan, sites_of
from hemocast.files import Output, check_space, claim, remove_temporary
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.predictions.bags import bags
from hemocast.pipeline.training_data import Cohort, bytes_of, prepare_cohort, try_model
from hemocast.pipeline.training_run import bind
from hemocast.stats import Cases, Evaluation, Resampling, evaluate

if TYPE_CHECKING:
    from hemocast.train import StackTable

KIND = "cross-validation"
PREDICTIONS, BINDING = "predictions.csv", "crossval.json"
COLUMNS = ("participant_id", "scan_id", "label", "probability", "model", "threshold", "fold")
_SEED = 6
"""Of the folds: another stream than those of training."""


@dataclass(frozen=True)
class CrossOptions:
    """How to divide, and how to run.

    Parameters
    ----------
    folds : int
        How many.
    name : str
        Of the model in the table of predictions.
    workers : int
        Processes for preparing.
    progress : callable, optional
        Called with (stage, done, total).
    leave_out : {"fold", "site"}
        Leave a fold out in turn, or each site of ``participants.tsv`` that has patients of both
        classes.
    """

    folds: int = 5
    name: str = "ht"
    workers: int = 1
    progress: Callable[[str, int, int], None] | None = None
    leave_out: Literal["fold", "site"] = "fold"


@dataclass(frozen=True)
class CrossValidated:
    """What the folds gave together.

    Parameters
    ----------
    predictions : Path
        The table: every scan once, by the network of the fold that held its patient out.
    evaluation : Evaluation
        Over all of them, at the mean of the folds' thresholds.
    refused : int
        Scans that could not be prepared.
    """

    predictions: Path
    evaluation: Evaluation
    refused: int

    def __repr__(self) -> str:
        """One line: the result."""
        auc = self.evaluation["auc"].value
        return f"CrossValidated({self.evaluation.n_patients} patients, AUC {auc:.3f})"


def cross_validate(
    dataset: Dataset, config: Config, out: Path, options: CrossOptions
) -> CrossValidated:
    """Train on all folds but one, predict that one, for each in turn.

    Folds are drawn by patient, stratified by label; or each site is one. In every fold the epoch
    and the calibration come from an inner part of its training patients, so that nothing of the
    fold that is held out is used. A run that was stopped continues when started again.

    Parameters
    ----------
    dataset : Dataset
        With labels; or a folder of stacks.
    config : Config
        Settings; ``config.train.seed`` draws the folds too.
    out : Path
        Folder for the predictions and the folds' training; new, or of the same cross-validation.
    options : CrossOptions

    Raises
    ------
    MissingExtra, ConfigError
        Training needs what is not installed, or the network cannot be built from the settings.
    NothingThere, DatasetError, TableError
        There is no dataset of Hemocast's, or its labels are missing or bad.
    NoMap, NoSigns
        The model needs a map, or signs, of every scan, and there are none.
    TooFewPatients
        A fold would have no patient of a class.
    OutputExists
        The folder holds something else, or the cross-validation of other data or settings.
    NotWritable, NoSpace, InUse
        The output cannot be written to, or somebody else does.
    """
    from hemocast.train import inner_parts

    cohort = Cohort.of(dataset).told_for(config)
    seed = config.train.seed
    by: Literal["folds", "site"] = "folds" if options.leave_out == "fold" else "site"
    plan = SplitPlan(by, folds=options.folds, seed=seed * 1000 + _SEED)
    splits = plan.draw(dataset, cohort.labels)
    for split in splits:
        inner_parts({p: cohort.labels[p] for p in split.parts["train"]}, config.train)
    try_model(config)
    with claim(out, KIND) as output:
        remove_temporary(out)
        _bind(output, cohort, config, options)
        check_space(out, bytes_of(cohort, config))
        prepared = prepare_cohort(
            cohort,
            config.prepare,
            out,
            learned=(),
            workers=options.workers,
            progress=stage_of(options.progress, "preparing"),
        )
        rows = [
            row
            for number, split in enumerate(splits, start=1)
            for row in _fold(
                prepared.table, config, out / split.name, (number, len(splits), split), options
            )
        ]
        # A table has one threshold for a model; those of the folds are prevalences, nearly equal.
        threshold = round(sum(row["threshold"] for row in rows) / len(rows), 6)
        rows = [row | {"threshold": threshold} for row in rows]
        columns: tuple[str, ...] = COLUMNS
        if options.leave_out == "site":
            sites = sites_of(dataset)
            rows = [row | {"site": sites[row["participant_id"]]} for row in rows]
            columns = (*COLUMNS, "site")
        output.write_table(PREDICTIONS, rows, columns)
        rows = [row for row in rows if row["scan_id"] != ALL]
    cases = Cases(
        [row["label"] for row in rows],
        [row["probability"] for row in rows],
        [row["participant_id"] for row in rows],
    )
    evaluation = evaluate(cases, threshold, resampling=Resampling(seed=seed))
    return CrossValidated(out / PREDICTIONS, evaluation, len(prepared.refused))


def _bind(output: Output, cohort: Cohort, config: Config, options: CrossOptions) -> None:
    """Write down whose folder it is, or refuse another's."""
    binding = {
        "schema_version": 1,
        "config": config.model_dump(mode="json"),
        "data_sha256": cohort.sha256(config),
        "folds": options.folds if options.leave_out == "fold" else options.leave_out,
        "name": options.name,
    }
    other = "a cross-validation of other data, settings, folds or name"
    bind(output, BINDING, binding, other)
    output.check([PREDICTIONS])


def _fold(
    table: StackTable,
    config: Config,
    folder: Path,
    fold: tuple[int, int, Split],
    options: CrossOptions,
) -> list[dict[str, Any]]:
    """Train one fold's network, or read it back, and predict the patients it did not see."""
    from hemocast.train import calibration_of, fit, predict_fitted

    number, count, split = fold
    moved = stage_of(options.progress, f"training {number} of {count}")
    fitted = fit(
        table.of(split.parts["train"]),
        config,
        folder,
        progress=None if moved is None else lambda done, total, _: moved(done, total),
    )
    calibration = calibration_of(fitted)
    test = table.of(split.parts["test"])
    judged = list(
        zip(
            test.participant_id,
            test.scan_id,
            test.label,
            predict_fitted(fitted, test).tolist(),
            strict=True,
        )
    )
    return [
        {
            "participant_id": participant,
            "scan_id": scan,
            "label": label,
            "probability": round(calibration.probability(logit), 6),
            "model": options.name,
            "threshold": calibration.threshold,
            "fold": number,
        }
        for participant, scan, label, logit in [*judged, *bags(judged)]
    ]

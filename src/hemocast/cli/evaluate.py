"""``hemocast evaluate``: how good are these predictions? Of any model, by anyone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from hemocast.cli.options import BootstrapSeed, Everything, NamedBy, Resamples, Threshold


def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="A table (CSV, TSV, Excel): participant_id, scan_id, label (or see --labels), "
            "probability; optional model, threshold, simulated; any other column is a subgroup."
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="A dataset's labels.tsv, or a table with patient_id, participant_id or scan_id, "
            "and label: for predictions without labels, such as those of 'hemocast predict'."
        ),
    ] = None,
    readings: Annotated[
        Path | None, typer.Option(help="Readings of the same scans by clinicians.")
    ] = None,
    clinical: Annotated[
        Path | None,
        typer.Option(
            help="A dataset's clinical.tsv (its neighbors are read too), or a table with "
            "patient_id or participant_id: for subgroups."
        ),
    ] = None,
    key: NamedBy = None,
    out: Everything = Path("hemocast-evaluation"),
    threshold: Threshold = None,
    resamples: Resamples = 2000,
    seed: BootstrapSeed = 0,
    interval: Annotated[
        Literal["percentile", "bca"],
        typer.Option(
            help="Bootstrap interval: percentile, or BCa, which corrects bias and skewness."
        ),
    ] = "percentile",
    reference: Annotated[
        str | None,
        typer.Option(help="With --margin: the model to which the others must not be inferior."),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(help="With --reference: the largest acceptable loss, such as 0.05."),
    ] = None,
    margin_of: Annotated[
        Literal["auc", "accuracy", "sensitivity", "specificity"],
        typer.Option(help="Metric of the margin; shares need one scan per patient."),
    ] = "auc",
    level: Annotated[
        Literal["scan", "patient"],
        typer.Option(
            help="Judge every scan, or every patient once: by the row with scan_id 'all', or by "
            "the only scan."
        ),
    ] = "scan",
    at: Annotated[
        list[float] | None, typer.Option(help="Another threshold to look at; repeatable.")
    ] = None,
    at_prevalence: Annotated[
        list[float] | None,
        typer.Option(help="For PPV and NPV, in place of the usual five; repeatable."),
    ] = None,
    at_sensitivity: Annotated[
        list[float] | None,
        typer.Option(help="Look where it is just reached, in place of 0.90; repeatable."),
    ] = None,
    at_specificity: Annotated[
        list[float] | None, typer.Option(help="Look where it is just reached; repeatable.")
    ] = None,
    partial_specificity: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="Partial AUC over this range of specificity, such as 0.8 1 (a false positive rate "
            "of at most 0.2)."
        ),
    ] = None,
    partial_sensitivity: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Partial AUC over this range of sensitivity, such as 0.9 1."),
    ] = None,
    primary: Annotated[
        str | None,
        typer.Option(help="The metric named as primary endpoint before the numbers were seen."),
    ] = None,
) -> None:
    """Write metrics with intervals, calibration, decision curves, subgroups, figures and a page.

    Exit code: 0 written, 2 wrong usage, 4 a table that cannot be used (every fault is named).
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.errors import StatisticsError, UsageError
    from hemocast.evaluate.models import Points
    from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
    from hemocast.pipeline.predictions.names import key_of_table
    from hemocast.report.words import estimate as words
    from hemocast.stats import Resampling
    from hemocast.stats.discrimination.partial import Axis, PartialRange

    def ranges(of: Axis, ends: tuple[float, float] | None) -> Iterator[PartialRange]:
        if ends is not None:
            try:
                yield PartialRange(of, *ends)
            except StatisticsError as error:
                why = f"Correct --partial-{of}"
                raise UsageError(error.seen, error.expected, why) from error

    usual = Points()
    secret = key_of_table(predictions, key)
    with stage_bars() as progress:
        result = evaluate_files(
            Tables(predictions, readings, clinical, labels, secret),
            out,
            EvaluationOptions(
                threshold,
                Resampling(resamples, seed, interval),
                reference,
                margin,
                margin_of,
                level,
                Points(
                    tuple(at or ()),
                    tuple(at_sensitivity or usual.sensitivities),
                    tuple(at_specificity or ()),
                    tuple(at_prevalence or usual.prevalences),
                    (
                        *ranges("specificity", partial_specificity),
                        *ranges("sensitivity", partial_sensitivity),
                    ),
                ),
                primary,
            ),
            progress,
        )
    if result.simulated:
        print("SIMULATED data: not clinical evidence.")
    for model in result.models:
        if result.primary is not None:
            print(f"{model.name}: {result.primary} (primary) {words(model[result.primary])}")
        print(f"{model.name}: AUC {words(model['auc'])}, {model.n_patients} patients")
        for warning in model.warnings:
            print(f"  Note: {warning}")
    print(f"Page: {(out / 'report.html').resolve()}")

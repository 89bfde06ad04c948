"""``hemocast readers analyse``: a reader study's Table 2, tests, agreement and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import BootstrapSeed, Everything, NamedBy, Resamples, Threshold


def analyse(
    readings: Annotated[Path, typer.Argument(help="readings.csv, as 'readers export' writes it.")],
    predictions: Annotated[
        Path, typer.Option(help="predictions.csv: the model's answers, and the labels if it has.")
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels of their own, as for evaluate: a dataset's labels.tsv, or a table with "
            "patient_id, participant_id or scan_id."
        ),
    ] = None,
    key: NamedBy = None,
    out: Everything = Path("hemocast-readers"),
    threshold: Threshold = None,
    resamples: Resamples = 2000,
    seed: BootstrapSeed = 0,
) -> None:
    """Compare readers with the model: accuracy, AUC, MRMC tests, agreement, time per case.

    Exit code: 0 written, 2 wrong usage, 4 a table that cannot be used (every fault is named).
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.pipeline.evaluate import EvaluationOptions, Tables, analyse_files
    from hemocast.pipeline.predictions.names import key_of_table
    from hemocast.report.words import estimate as words
    from hemocast.stats import Resampling

    tables = Tables(predictions, readings, labels=labels, key=key_of_table(predictions, key))
    with stage_bars() as progress:
        result = analyse_files(
            tables,
            out,
            EvaluationOptions(threshold, Resampling(resamples, seed)),
            progress,
        )
    if result.simulated:
        print("SIMULATED data: not clinical evidence.")
    if result.readers is not None:
        for rater in result.readers.raters:
            arm = f", {rater.arm}" if rater.arm else ""
            print(f"{rater.name}{arm}: AUC {words(rater.auc)}, {rater.n} scans")
        for warning in result.readers.warnings:
            print(f"Note: {warning}")
    print(f"Page: {(out / 'report.html').resolve()}")

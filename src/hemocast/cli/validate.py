"""``hemocast validate``: whether a model holds at a new hospital."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave, of_cases
from hemocast.cli.options import DatasetFolder, Resamples, Workers, output


def validate(
    model: Annotated[Path, typer.Argument(help="The model's folder.")],
    dataset: DatasetFolder,
    out: Annotated[Path, output("Folder for page and tables; new or unfinished.", "validation")],
    c_statistic: Annotated[
        float,
        typer.Option(
            "--c-statistic", "--cstat", min=0.51, max=0.98,
            help="C statistic (AUC) expected here, named before: for the size needed.",
        ),
    ] = 0.8,
    prevalence: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=0.999,
            help="Share with HT expected here, named before. Default: what the model assumes.",
        ),
    ] = None,
    compare_with: Annotated[
        Path | None,
        typer.Option(
            help="A table of scans to compare with: the predictions of the model's own test part, "
            "or scans.csv of another validation."
        ),
    ] = None,
    clinical: Annotated[
        Path | None,
        typer.Option(
            help="For a model of the clinical record: a table. Default: the dataset's own."
        ),
    ] = None,
    coregistered: Annotated[
        Path | None,
        typer.Option("--map", help="For a model of a co-registered map: a folder with maps."),
    ] = None,
    resamples: Resamples = 2000,
    workers: Workers = 1,
) -> None:  # fmt: skip
    """Predict a new hospital's patients with a model as it is, and hold it against their outcomes.

    OUT/report.html: who was judged and who refused, whether patients are enough, AUC, calibration,
    net benefit, subgroups, drift from the training scans, what recalibration would bring; below it
    the whole evaluation and the filled STARD-AI and TRIPOD+AI. Nothing is chosen or changed.

    Exit code: 0 all well, 3 some scans refused, 4 all refused.
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.dataset import Dataset
    from hemocast.pipeline.validate import ValidateOptions, validate_model
    from hemocast.report.validation.page import doubts_of
    from hemocast.report.words import estimate as words
    from hemocast.stats import Resampling

    with stage_bars() as progress:
        options = ValidateOptions(
            c_statistic, prevalence, compare_with, clinical, coregistered, workers,
            Resampling(resamples), progress,
        )  # fmt: skip
        found = validate_model(model, Dataset(dataset), out, options)
    part, flow = found.part, found.flow
    if found.evaluation.simulated:
        print("SIMULATED data: not clinical evidence.")
    print(
        f"{flow.n_predicted} of {flow.n_scans} scans predicted, {part.n_patients} patients judged"
    )
    print(f"AUC {words(part['auc'])}")
    for line in doubts_of(found):
        print(f"  Note: {line}")
    print(f"Page: {(out / 'report.html').resolve()}")
    leave(of_cases(flow.n_predicted, flow.n_scans - flow.n_predicted))

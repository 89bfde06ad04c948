"""``hemocast crossval``: a dataset in; an out-of-fold prediction of every patient out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from hemocast.cli.options import Encoder, Harmonise, Net, Record, Workers, chosen_settings, output


def crossval(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder with labels, or stacks.")],
    out: Annotated[
        Path, output("Folder for predictions and training; new or unfinished.", "cross-validation")
    ],
    config: Annotated[Path | None, typer.Option(help="Settings, YAML.")] = None,
    net: Net = None,
    encoder: Encoder = None,
    record: Record = False,
    harmonise: Harmonise = False,
    name: Annotated[str, typer.Option(help="Of the model in predictions.csv.")] = "ht",
    folds: Annotated[int, typer.Option(min=2, max=50, help="How many.")] = 5,
    leave_out: Annotated[
        Literal["fold", "site"],
        typer.Option(
            help="In turn: a fold, or each site of participants.tsv: how good is the model at a "
            "hospital that it never saw?"
        ),
    ] = "fold",
    workers: Workers = 1,
) -> None:
    """Predict every patient with a model trained on the other folds of patients.

    OUT/predictions.csv holds every scan once, for 'hemocast evaluate'. A run that was stopped goes
    on when started again.
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.dataset import Dataset
    from hemocast.pipeline.crossval import CrossOptions, cross_validate
    from hemocast.stats import MAIN_METRICS

    settings = chosen_settings(config, net, encoder, record, harmonise)
    with stage_bars() as progress:
        options = CrossOptions(folds, name, workers, progress, leave_out)
        done = cross_validate(Dataset(dataset), settings, out, options)
    result = done.evaluation
    print(f"{done.refused} scan(s) refused")
    print(
        f"Out of fold: {result.n_patients} patients; {result.n} scans, {result.n_positive} of them "
        "of patients with HT"
    )
    for metric in MAIN_METRICS:
        estimate = result[metric]
        print(f"  {metric:18} {estimate.value:.3f} ({estimate.ci_low:.3f}-{estimate.ci_high:.3f})")
    print(f"Predictions: {done.predictions}")

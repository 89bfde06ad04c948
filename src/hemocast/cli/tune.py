"""``hemocast tune``: a dataset in; a settings file for ``hemocast train --config`` out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import SPLIT, Workers, output


def tune(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder with labels, or stacks.")],
    out: Annotated[
        Path, output("Folder for settings.yaml and the trials; new or unfinished.", "tuning")
    ],
    config: Annotated[Path | None, typer.Option(help="Settings to start from, YAML.")] = None,
    trials: Annotated[int, typer.Option(min=1, max=1000, help="At most, in all calls.")] = 8,
    length: Annotated[
        float, typer.Option(min=0.01, max=1, help="Length of a trial, as a share of the epochs.")
    ] = 0.25,
    test_fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Patients left out, as 'train' draws them.")
    ] = 0.1,
    split: Annotated[str | None, SPLIT] = None,
    workers: Workers = 1,
) -> None:
    """Search learning rate, weight decay, dropout and batch size; test patients are left out.

    Trials are judged by the loss of inner validation patients. A search that was stopped goes on
    when started again.
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.config import Config, load_config
    from hemocast.dataset import Dataset
    from hemocast.dataset.split.saved import find_split
    from hemocast.pipeline.tune import TuneOptions
    from hemocast.pipeline.tune import tune as search

    settings = load_config(config) if config else Config()
    table = find_split(dataset, split) if split else None
    with stage_bars() as progress:
        options = TuneOptions(trials, length, test_fraction, table, workers, progress)
        found = search(Dataset(dataset), settings, out, options)
    print(f"{found.trials} trial(s); validation loss {found.loss_before:.4f} with what was given")
    print(f"Best {found.loss:.4f}:")
    for name, value in found.best.items():
        print(f"  {name:14} {value:.4g}")
    print(f"Settings: {found.settings}")

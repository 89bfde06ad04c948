"""``hemocast reproduce``: the paper's tables and figures on simulated patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import AllWorkers, output


def reproduce(
    out: Annotated[Path, output("Output folder; new or unfinished.")] = Path("hemocast-paper"),
    fast: Annotated[
        bool, typer.Option("--fast", help="Use a third of the patients and coarser images.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of cohort, split, training, readers.")] = 0,
    benchmark: Annotated[
        Path | None, typer.Option(help="Folder of 'hemocast benchmark', for Table 3.")
    ] = None,
    workers: AllWorkers = None,
) -> None:
    """Make the tables and figures of Zhang 2026 on simulated patients, with simulated readers."""
    from hemocast.cli.progress import stage_bars
    from hemocast.onnx import usable_cpus
    from hemocast.pipeline.reproduce.run import reproduce as run
    from hemocast.pipeline.simulated_run import RunOptions

    with stage_bars() as progress:
        options = RunOptions(seed, workers or usable_cpus(), progress)
        page = run(out, fast=fast, options=options, benchmark=benchmark)
    print("SIMULATED patients, outcomes and readers: this says nothing about patients.")
    print(f"Page: {page.resolve()}")

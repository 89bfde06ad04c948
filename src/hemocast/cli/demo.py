"""``hemocast demo``: the whole way once, on simulated scans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import AllWorkers, Everything


def demo(
    out: Everything = Path("hemocast-demo"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of cohort, split and training.")] = 0,
    workers: AllWorkers = None,
) -> None:
    """Simulate a cohort as DICOM and take it through every step, to a model and a report."""
    from hemocast.cli.progress import stage_bars
    from hemocast.onnx import usable_cpus
    from hemocast.pipeline.demo import run_demo
    from hemocast.pipeline.simulated_run import RunOptions
    from hemocast.report.words import estimate

    with stage_bars() as progress:
        done = run_demo(out, RunOptions(seed, workers or usable_cpus(), progress))
    print("SIMULATED scans and outcomes: this says nothing about patients.")
    print(f"AUC on held-out patients {estimate(done.result.evaluation.models[0]['auc'])}")
    print(f"Page: {done.page.resolve()}")

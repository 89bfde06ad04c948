"""``hemocast benchmark``: every network on one simulated cohort, on the same fresh patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import Encoder, Workers, output


def benchmark(
    out: Annotated[Path, output("Folder for the table; new or unfinished.", "benchmark")],
    row: Annotated[
        list[str] | None, typer.Option(help="A row's name; repeat. Default: all.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Seeds per model. Default: each model's own.")
    ] = None,
    encoder: Encoder = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="At most. Default: each model's own.")
    ] = None,
    patients: Annotated[
        int | None,
        typer.Option(min=2, max=100_000, help="Patients; the share with HT is the preset's."),
    ] = None,
    test_patients: Annotated[
        int, typer.Option(min=2, max=100_000, help="Fresh ones to test on.")
    ] = 4000,
    cohort: Annotated[
        Path | None, typer.Option(help="Simulated stacks for training; made if not given.")
    ] = None,
    fresh: Annotated[
        Path | None, typer.Option(help="Simulated stacks for testing; made if not given.")
    ] = None,
    workers: Workers = 1,
) -> None:
    """Train every network from several seeds, and test all on the same fresh patients.

    Without --row and --encoder, both encoders that come along are rows too.

    A row is kept as soon as it is measured; a run that was stopped goes on with the next, and one
    with other models adds theirs. SIMULATED: no evidence about patients.
    """
    from hemocast.cli.progress import stage_bars
    from hemocast.pipeline.benchmark import (
        BenchmarkOptions,
        Cohorts,
        entries_of,
        run_benchmark,
    )

    cohorts = Cohorts(patients=patients, test_patients=test_patients, learned=cohort, fresh=fresh)
    entries = entries_of(tuple(row or ()), seeds, epochs, encoder)
    with stage_bars() as progress:
        done = run_benchmark(
            out, entries, BenchmarkOptions(cohorts, workers=workers, progress=progress)
        )
    print("SIMULATED patients and outcomes. AUC hard, soft, share of the way to the ceiling:")
    for one in done.rows:
        hard, soft, share = (one.estimates[name] for name in ("auc", "soft_auc", "soft_share"))
        print(
            f"  {one.label:36} {hard.value:.3f}  {soft.value:.3f}  {100 * share.value:3.0f} % "
            f"({100 * share.ci_low:.0f} to {100 * share.ci_high:.0f})"
        )
    print(f"Tables: {out}")

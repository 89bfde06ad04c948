"""``hemocast measure``: signs of every scan, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave, of_cases
from hemocast.cli.options import output

MEASUREMENTS = "measurements"


def measure(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="As for predict: DICOM folders, zips or NIfTI files, datasets, tables of paths.",
            readable=False,
        ),
    ],
    out: Annotated[Path, output("Folder for measurements.csv.", MEASUREMENTS)] = Path(
        "hemocast-measurements"
    ),
    key: Annotated[
        Path | None,
        typer.Option(help="Secret of the pseudonyms, as for ingest: the same names."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Skip scans that were measured there before.")
    ] = False,
) -> None:
    """Measure signs on every scan in PATHS. No model is needed.

    The acute infarct's mask lies in masks, as NIfTI on the scan's own grid.

    Exit code: 0 all well, 2 the table cannot be kept, 3 some scans refused, 4 all refused, 1
    Hemocast's own fault.
    """
    from collections import Counter

    from hemocast.pipeline.measure import measure_cases
    from hemocast.pipeline.predictions.cases import cases_of

    counts: Counter[str] = Counter()
    simulated = False
    for result in measure_cases(cases_of(paths), out, key=key, resume=resume):
        counts[result.status] += 1
        simulated = simulated or result.simulated
        print(f"{result.case} {result.status} {result.scan_id or ''} {result.message}".rstrip())
    if simulated:
        print("SIMULATED data: not clinical evidence.")
    done = counts["done"] + counts["skipped"]
    print(f"{done} measured, {counts.total() - done} not; table: ", end="")
    print((out / "measurements.csv").resolve())
    leave(of_cases(done, counts["refused"], counts["failed"]))

"""``hemocast simulate``: a cohort whose true risk is known, as DICOM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Option(help="Folder for the cohort; new or unfinished.")],
    preset: Annotated[str, typer.Option(help="demo, paper or tiny.")] = "paper",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    patients: Annotated[
        int | None, typer.Option(min=2, help="Number of patients, half of them with HT.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Simulate head CTs and outcomes. Not evidence about patients."""
    from hemocast.cli.progress import progress_bar
    from hemocast.errors import UsageError
    from hemocast.simulate import PRESETS, simulate_cohort

    if preset not in PRESETS:
        raise UsageError(
            f"There is no preset {preset!r}", ", ".join(PRESETS), "Name one of them with --preset"
        )
    changes = {"seed": seed}
    if patients is not None:
        changes |= {"n_ht": patients // 2, "n_non": patients - patients // 2}
    config = PRESETS[preset].model_copy(update=changes)
    with progress_bar("simulating") as progress:
        truth = simulate_cohort(config, out, workers=workers, progress=progress)
    print(f"SIMULATED: {len(truth.patients)} patients in {truth.dicom}; labels: {truth.labels}")

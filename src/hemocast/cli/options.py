"""Options that several commands share, with one name and one help text each."""

from __future__ import annotations

from typing import Annotated

import typer

Threshold = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="The model's. Default: column threshold, else 0.5."),
]
Resamples = Annotated[int, typer.Option(min=100, help="Bootstrap resamples of patients.")]
BootstrapSeed = Annotated[int, typer.Option(min=0, help="Of the bootstrap.")]

Prevalence = Annotated[float, typer.Option(help="Share of patients with the outcome.")]
C_STATISTIC = typer.Option("--c-statistic", "--cstat", help="C statistic (AUC) expected.")
Power = Annotated[float, typer.Option(help="Chance to find the difference.")]
Alpha = Annotated[float, typer.Option(help="Two-sided level.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

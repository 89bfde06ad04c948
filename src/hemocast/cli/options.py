"""Options that several commands share, with one help text each."""

from __future__ import annotations

from typing import Annotated

import typer

Threshold = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="The model's. Default: column threshold, else 0.5."),
]
Resamples = Annotated[int, typer.Option(min=100, help="Bootstrap resamples of patients.")]
BootstrapSeed = Annotated[int, typer.Option(min=0, help="Of the bootstrap.")]

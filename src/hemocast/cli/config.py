"""``hemocast config``: the settings of training, as a file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

config = typer.Typer(help="Settings of train, crossval and tune (--config).", no_args_is_help=True)


@config.command()
def init(
    out: Annotated[Path, typer.Option(help="The file; a new one.")] = Path("hemocast.yaml"),
) -> None:
    """Write every setting with its default, what it means and its range.

    Each line may be changed or left out: 'hemocast train DATASET --out MODEL --config FILE'.
    """
    from hemocast.config import commented_settings
    from hemocast.errors import OutputExists
    from hemocast.files import write_new

    if not write_new(out, commented_settings()):
        raise OutputExists(
            "The settings file is there already", "a new file", "Name another with --out"
        )
    print(f"Settings: {out}")

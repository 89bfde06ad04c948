"""``hemocast export``: a dataset or stacks in; nnU-Net's raw data out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import output


def export(
    dataset: Annotated[Path, typer.Argument(help="A dataset folder with labels, or stacks.")],
    out: Annotated[Path, output("Folder for nnU-Net's raw data; new or empty.")],
    masks: Annotated[
        Path | None, typer.Option(help="Folder of SCAN_ID.nii.gz, 1 where the infarct is.")
    ] = None,
    number: Annotated[int, typer.Option(min=1, max=999, help="nnU-Net's identifier.")] = 501,
    name: Annotated[str, typer.Option(help="Letters and digits.")] = "Infarct",
) -> None:
    """Write scans and infarct masks as nnU-Net version 2 takes them: OUT/DatasetNNN_NAME."""
    from hemocast.dataset import Dataset
    from hemocast.pipeline.export import export_nnunet

    done = export_nnunet(Dataset(dataset), out, number=number, name=name, masks=masks)
    print(f"{done.with_mask} scan(s) with a mask: imagesTr and labelsTr")
    print(f"{done.without_mask} without: imagesTs, for nnU-Net trains on masks alone")
    print(f"nnU-Net's raw data: {done.folder}")

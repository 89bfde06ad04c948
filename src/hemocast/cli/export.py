"""``hemocast export``: a dataset or stacks in, nnU-Net's raw data out; a model in, a copy out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import output


def export(
    source: Annotated[
        Path, typer.Argument(help="A dataset folder with labels, stacks, or a model's folder.")
    ],
    out: Annotated[Path, output("Folder for nnU-Net's raw data, or the model; new or empty.")],
    masks: Annotated[
        Path | None, typer.Option(help="Folder of SCAN_ID.nii.gz, 1 where the infarct is.")
    ] = None,
    number: Annotated[int, typer.Option(min=1, max=999, help="nnU-Net's identifier.")] = 501,
    name: Annotated[str, typer.Option(help="Letters and digits.")] = "Infarct",
) -> None:
    """Write scans and infarct masks as nnU-Net version 2 takes them: OUT/DatasetNNN_NAME.

    Of a model: a copy to give away, without the nearest cases of 'hemocast train --nearest-cases'.
    """
    from hemocast.dataset import Dataset
    from hemocast.model import save_to_pass_on
    from hemocast.model.schema import DESCRIPTION
    from hemocast.pipeline.export import export_nnunet

    if (source / DESCRIPTION).is_file():
        model = save_to_pass_on(source, out)
        print(f"Model, without nearest cases: {out} (hash {model.hash[:12]})")
        return
    done = export_nnunet(Dataset(source), out, number=number, name=name, masks=masks)
    print(f"{done.with_mask} scan(s) with a mask: imagesTr and labelsTr")
    print(f"{done.without_mask} without: imagesTs, for nnU-Net trains on masks alone")
    print(f"nnU-Net's raw data: {done.folder}")

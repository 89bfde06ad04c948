"""``hemocast ingest``: DICOM in; a dataset folder out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ingest(
    sources: Annotated[list[Path], typer.Argument(help="Folders and zips of DICOM files.")],
    out: Annotated[Path, typer.Option(help="The dataset folder; made or added to.")],
    key: Annotated[
        Path | None,
        typer.Option(help="Secret of the pseudonyms; made when missing. Default: OUT.key"),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with columns patient_id and label (1 HT, 0 no HT)."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Read head CTs of any number of patients into a dataset with pseudonyms.

    Exit code: 0 all well, 3 some studies refused, 4 none usable.
    """
    from collections import Counter

    from hemocast.cli.progress import progress_bar
    from hemocast.dataset import load_key
    from hemocast.dataset.ingest import ingest as run

    secret = load_key(key or out.parent / f"{out.name}.key", out)
    with progress_bar("ingesting") as progress:
        report = run(sources, out, secret, labels=labels, workers=workers, progress=progress)
    print(f"{report.added} scan(s) added, {report.already_there} already there: {out}")
    for code, count in sorted(Counter(item.code for item in report.refused).items()):
        print(f"{count} refused with {code}; reasons: {out / 'quality' / 'refused.tsv'}")
    if labels and report.unlabelled:
        print(f"{report.unlabelled} participant(s) without a label")
    if report.refused:
        raise typer.Exit(3 if report.added + report.already_there else 4)

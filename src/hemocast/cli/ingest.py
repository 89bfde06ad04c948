"""``hemocast ingest``: scans in; a dataset folder out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave, of_cases
from hemocast.cli.options import Key, Workers, output


def ingest(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Folders, zips and media of DICOM files, or of NIfTI files with JSON sidecars; "
            "DICOMweb servers (dicomweb+http://host/path)."
        ),
    ],
    out: Annotated[Path, output("The dataset folder, new or existing.")],
    key: Key = None,
    labels: Annotated[
        Path | None, typer.Option(help="A table with columns patient_id and label (1 HT, 0 no HT).")
    ] = None,
    workers: Workers = 1,
    cluster: Annotated[
        str | None,
        typer.Option(help="Address of a dask scheduler; its workers must see the same paths."),
    ] = None,
) -> None:
    """Read head CTs of any number of patients into a dataset with pseudonyms.

    A NIfTI file's patient is the label in sub-LABEL, or else the file's whole name. Scans that show
    blood are flagged, not refused. The network is used only for a server or cluster named here.

    Exit code: 0 all well, 3 some studies refused, 4 none usable, 5 no label is of any patient.
    """
    from collections import Counter

    from hemocast.cli.progress import progress_bar
    from hemocast.dataset import Dataset
    from hemocast.dataset.ingest.refusals import count_reasons
    from hemocast.dataset.ingest.run import ingest as run
    from hemocast.dataset.ingest.workers import Workers
    from hemocast.dataset.pseudonym import key_beside
    from hemocast.pipeline.quality import write_quality_report

    with progress_bar("ingesting") as progress:
        report = run(
            sources,
            out,
            key or key_beside(out),
            labels=labels,
            workers=Workers(workers, cluster),
            progress=progress,
        )
    if report.added or not (out / "quality" / "report.html").is_file():
        with progress_bar("drawing") as progress:
            write_quality_report(Dataset(out), progress=progress)
    print(f"{report.added} scan(s) added, {report.already_there} already there: {out}")
    for code, count in sorted(Counter(item.code for item in report.refused).items()):
        print(f"{count} refused with {code}; reasons: {out / 'quality' / 'refused.tsv'}")
    for reason, count in count_reasons(report.left_out).most_common():
        print(f"{count} left out: {reason}")
    print(f"Quality report: {out / 'quality' / 'report.html'}")
    if labels:
        print(f"{report.labels_matched} label(s) matched a patient")
    if report.nobody:
        raise report.nobody
    if labels and report.unlabelled:
        print(f"{report.unlabelled} participant(s) without a label")
    leave(of_cases(report.added + report.already_there, len(report.refused)))

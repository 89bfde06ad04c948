"""``hemocast deliver``: one scan in; objects and messages for a hospital's systems out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave
from hemocast.cli.options import Lang, output


def deliver(
    scan: Annotated[
        Path,
        typer.Argument(help="A DICOM folder, or a zip of one: one patient.", readable=False),
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="A model folder. Default: the demonstration model."),
    ] = None,
    out: Annotated[
        Path, output("Folder for the objects: identifiers of the patient are in them.", "delivery")
    ] = Path("hemocast-delivery"),
    lang: Lang = "en",
    page_pdf: Annotated[
        Path | None,
        typer.Option(
            help="The scan's report.pdf of 'hemocast predict --pdf', to be encapsulated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Write what a PACS and a RIS take of one scan's result; nothing is sent.

    Secondary capture, structured report (TID 1500), heatmap, outline of the infarct, all in the
    scan's own study; FHIR and HL7 beside them. A refused scan gets a capture that says why. Needs
    the extra 'serve'.

    Exit code: 0 all well, 2 wrong usage, 4 refused, 1 Hemocast's own fault.
    """  # fmt: skip
    from dataclasses import replace

    from hemocast.deliver import Refused
    from hemocast.model import load, load_default
    from hemocast.pipeline.deliver import analyse_scan
    from hemocast.pipeline.deliver import deliver as write
    from hemocast.report.language import language

    loaded = load(model) if model else load_default()
    result = analyse_scan(scan, loaded, language=language(lang))
    if page_pdf is not None:
        result = replace(result, pdf=page_pdf.read_bytes())
    for name in write(result, out):
        print(out / name)
    print("These files hold the patient's identifiers, as the images do.")
    if result.notice:
        print(result.notice)
    if isinstance(result.answer, Refused):
        one = result.answer
        print(f"{one.code} Not analysed: {one.seen}.")
        leave(4)

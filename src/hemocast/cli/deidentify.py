"""``hemocast deidentify``: DICOM in; the same CT images without identities out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave, of_cases
from hemocast.cli.options import Key, Workers, output


def deidentify(
    sources: Annotated[
        list[Path], typer.Argument(help="Folders and zips of DICOM files.", readable=False)
    ],
    out: Annotated[Path, output("The folder for the clean files.")],
    key: Key = None,
    workers: Workers = 1,
) -> None:
    """Export CT images under pseudonyms, with shifted dates, and without free text.

    The same key as for 'hemocast ingest' gives the same pseudonyms. A face can still be made from
    the pixels of a head CT: share with care. Pictures that may show text are left behind, and so is
    a series with text in the air beside the head that stands still over five slices. Text over the
    head, or of another place or value in every slice, is NOT found: look at the slices first.

    Exit code: 0 all well, 3 some images left behind, 4 none exported.
    """
    from collections import Counter
    from functools import partial

    from hemocast.cli.progress import progress_bar
    from hemocast.dataset import load_key, participant_id
    from hemocast.dataset.pseudonym import date_shift, key_beside
    from hemocast.dicom.deidentify import destination
    from hemocast.dicom.deidentify.export import Keyed
    from hemocast.dicom.deidentify.export import deidentify as run

    destination.check(sources, out)
    secret = load_key(key or key_beside(out), out)
    keyed = Keyed(secret, partial(participant_id, secret), partial(date_shift, secret))
    with progress_bar("cleaning") as progress:
        report = run(sources, out, keyed, workers=workers, progress=progress)
    print(f"{report.written} file(s) written, {report.already_there} already there: {out}")
    counts: Counter[str] = Counter()
    for item in report.left_behind:
        counts[item.error.code] += item.files
    for code, count in sorted(counts.items()):
        print(f"{count} left behind with {code}; reasons: {out / 'left_behind.tsv'}")
    if report.other_files:
        print(f"{report.other_files} file(s) that are not DICOM images were not copied")
    leave(of_cases(report.written + report.already_there, len(report.left_behind)))

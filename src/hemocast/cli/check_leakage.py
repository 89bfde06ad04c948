"""``hemocast check-leakage``: whether anything of the test part is in the training part."""

from __future__ import annotations

from typing import Annotated

import typer

from hemocast.cli.exits import leave_if_found
from hemocast.cli.options import SPLIT, DatasetFolder, Workers

NAMED = 50


def check_leakage(
    dataset: DatasetFolder,
    split: Annotated[str | None, SPLIT] = None,
    pixels: Annotated[
        bool, typer.Option(help="Compare the scans' pixels too, not only names.")
    ] = True,
    workers: Workers = 1,
) -> None:
    """Find patients, and scans under two names, in more than one part of a split.

    Exit code: 0 none, 5 found.
    """
    from hemocast.cli.progress import progress_bar
    from hemocast.dataset.layout import Dataset
    from hemocast.dataset.split.leakage import check_leakage as check
    from hemocast.dataset.split.leakage import files_of_split, find_copies
    from hemocast.dataset.split.saved import find_split, read_parts

    table = find_split(dataset, split)
    print(f"Split: {table.stem}")
    parts = read_parts(table)
    scans = files_of_split(Dataset(dataset), parts) if pixels else {}
    with progress_bar("Comparing") as progress:
        copies = find_copies(scans, workers=workers, progress=progress) if pixels else ()
    report = check(parts, copies, len(scans))
    for overlap in report.overlaps:
        share = f" ({100 * overlap.share_of_second:.1f} % of {overlap.second})"
        print(
            f"{overlap.first} & {overlap.second}: {len(overlap.patients)} patient(s) in both"
            f"{share if overlap.patients else ''}"
        )
    print(f"{report.n_scans} scan(s) compared by their pixels")
    for copy in (*report.copies_between, *report.copies_within):
        kind = "pixel for pixel" if copy.exact else f"exported again (r = {copy.similarity:.2f})"
        where = "in two parts" if copy in report.copies_between else "in one part"
        print(f"One scan under two names, {where}: {copy.first} and {copy.second}, {kind}")
    if report.leaks:
        more = len(report.patients) - NAMED
        print(
            f"LEAK: {', '.join(report.patients[:NAMED])}{f' and {more} more' if more > 0 else ''}"
        )
    else:
        print("No leak found")
    leave_if_found(report.leaks)

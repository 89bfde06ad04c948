"""``hemocast quality``: the page that shows every scan of a dataset, and what did not enter it."""

from __future__ import annotations

from hemocast.cli.options import DatasetFolder, Workers


def quality(
    dataset: DatasetFolder,
    workers: Workers = 1,
) -> None:
    """Write DATASET/quality/report.html: a picture, the geometry and the flags of every scan.

    Exit code: 0 written, 4 there is no such dataset.
    """
    from hemocast.cli.progress import progress_bar
    from hemocast.dataset import Dataset
    from hemocast.pipeline.quality import write_quality_report

    with progress_bar("drawing") as progress:
        page = write_quality_report(Dataset(dataset), workers=workers, progress=progress)
    print(page)

"""Every scan of a dataset through the one preparation path, in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.config import PrepareConfig
from hemocast.dataset.layout import Dataset, nifti_of
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.sidecar import read_sidecar
from hemocast.errors import HemocastError

if TYPE_CHECKING:
    from hemocast.volume import FloatArray, Stack


@dataclass(frozen=True)
class ScanFile:
    """A scan of a dataset.

    Parameters
    ----------
    scan : ScanId
        Its name.
    scan_uid : str
        Pseudonym of what it was read from, as in its sidecar.
    path : Path
        Its NIfTI file.
    """

    scan: ScanId
    scan_uid: str
    path: Path

    @property
    def participant_id(self) -> str:
        """Whose it is, in every table."""
        return self.scan.participant_id

    @property
    def scan_id(self) -> str:
        """Which it is, in every table."""
        return str(self.scan)


@dataclass(frozen=True)
class PreparedScan:
    """A scan's stack, or why there is none.

    Parameters
    ----------
    scan : ScanFile
        The scan.
    stack : Stack or None
        None when refused.
    error : HemocastError or None
        The refusal.
    cells : ndarray of float32, shape (14, 24, 24), or None
        Means of its co-registered map, where one was asked for.
    """

    scan: ScanFile
    stack: Stack | None
    error: HemocastError | None = None
    cells: FloatArray | None = None


def scans_of(dataset: Dataset) -> list[ScanFile]:
    """List the scans of a dataset, in the order of their names.

    Raises
    ------
    DatasetError
        A sidecar cannot be read.
    """
    named = ((read_sidecar(path), nifti_of(path)) for path in dataset.sidecars())
    return [ScanFile(sidecar.scan, sidecar.scan_uid, path) for sidecar, path in named]


def prepare_scans(
    dataset: Dataset,
    scans: Sequence[ScanFile],
    config: PrepareConfig,
    *,
    workers: int = 1,
    maps: Path | None = None,
) -> Iterator[PreparedScan]:
    """Prepare scans, in their order, a few in memory at a time.

    Stacks are kept in `Dataset.stacks` and found again by content and settings.
    A scan that shows blood is refused here as at prediction: it is not eligible. So is one whose
    map is missing or does not fit, where `maps`, a folder of them, is given.
    """
    from joblib import Parallel, delayed

    cache = dataset.stacks
    yield from Parallel(n_jobs=workers, return_as="generator", pre_dispatch=2 * workers)(
        delayed(_prepare_scan)(scan, config, cache, maps) for scan in scans
    )


def _prepare_scan(
    scan: ScanFile, config: PrepareConfig, cache: Path, maps: Path | None
) -> PreparedScan:
    from hemocast.dataset.maps import find_map, read_cells
    from hemocast.dicom import read_nifti
    from hemocast.prepare.eligibility import eligible_stack

    try:
        found = None if maps is None else find_map(maps, scan.scan_id)
        volume = read_nifti(scan.path)
        stack = eligible_stack(volume, config, cache=cache)
        cells = None if found is None else read_cells(found, volume, stack)[0]
        return PreparedScan(scan, stack, cells=cells)
    except HemocastError as error:
        return PreparedScan(scan, None, error.without_frames())

"""Maps of another kind, such as perfusion, each on the grid of its scan, and how they are found."""

from __future__ import annotations

from pathlib import Path

from hemocast.dicom.files.nifti import read_map_of
from hemocast.errors import NoMap
from hemocast.prepare.cells import map_cells
from hemocast.volume import FloatArray, Stack, Volume

FOLDER = Path("derivatives") / "maps"
"""In a dataset: ``SCAN_ID_map.nii.gz`` for every scan."""
MAPS = "maps.npy"
"""Beside ``stacks.npy``: float32 (n, 14, 24, 24), a row a stack; NaN where there is no brain."""


def map_name(scan_id: str) -> str:
    """Name a scan's map."""
    return f"{scan_id}_map.nii.gz"


def find_map(path: Path, scan_id: str) -> Path:
    """Find a scan's map: the file that was named, or the scan's own in a folder.

    Raises
    ------
    NoMap
        It is not there.
    """
    found = path / map_name(scan_id) if path.is_dir() else path
    if not found.is_file():
        raise NoMap(
            "There is no map of this scan",
            f"a NIfTI file on the scan's grid: SCAN_ID_map.nii.gz in {FOLDER.as_posix()} of a "
            "dataset, or in the folder named with --map; or, of one scan, the file itself",
            "Put it there, or take a model that sees the scan alone",
        )
    return found


def read_cells(path: Path, volume: Volume, stack: Stack) -> tuple[FloatArray, bool]:
    """Read a scan's map as means over the cells of its stack.

    Parameters
    ----------
    path : Path
        See `find_map`.
    volume : Volume
        The scan; its grid is enough.
    stack : Stack
        Made from it.

    Returns
    -------
    cells : ndarray of float32, shape (14, 24, 24)
        See `hemocast.prepare.cells.map_cells`.
    bool
        Whether the map says that it is simulated.

    Raises
    ------
    MapNotAligned, MapNotFinite, MalformedFile, TruncatedFile, SeveralScans, TooLarge, NotHounsfield
        As `hemocast.dicom.files.nifti.read_map_of` does.
    """
    values, simulated = read_map_of(path, volume)
    return map_cells(values, volume.affine, stack), simulated

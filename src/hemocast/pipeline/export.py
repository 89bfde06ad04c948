"""A dataset or a folder of stacks as nnU-Net's raw data, for training that network on it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.config import PrepareConfig
from hemocast.dataset import Dataset
from hemocast.dicom.files.nifti import write_nifti
from hemocast.errors import ConfigError, NothingThere, TableError
from hemocast.files import new_folder, write_json
from hemocast.pipeline.training_data import Cohort
from hemocast.volume import from_levels

ENDING = ".nii.gz"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    folder : Path
        ``DatasetNNN_NAME``, to lie in ``nnUNet_raw``.
    with_mask, without_mask : int
        Scans in ``imagesTr``, with a mask in ``labelsTr``, and in ``imagesTs``.
    """

    folder: Path
    with_mask: int
    without_mask: int


@dataclass(frozen=True)
class _Case:
    """A scan: its name, and its mask where there is one."""

    scan_id: str
    mask: NDArray[np.uint8] | None


def export_nnunet(
    dataset: Dataset, out: Path, *, number: int, name: str, masks: Path | None = None
) -> Exported:
    """Write every scan of a labelled patient in the layout of nnU-Net version 2.

    Scans with an infarct's mask go to ``imagesTr``, with 1 where the infarct is in ``labelsTr``;
    nnU-Net trains on no others, which go to ``imagesTs``. A dataset's scans are copied as they are.
    Of stacks the masks are those of ``findings`` beside them, and values are CT numbers within the
    window; the outcome is not written anywhere.

    Parameters
    ----------
    dataset : Dataset
        Or a folder of stacks.
    out : Path
        New or empty; takes the folder ``DatasetNNN_NAME``.
    number : int
        1 to 999; nnU-Net's identifier.
    name : str
        Letters and digits.
    masks : Path, optional
        Folder with ``SCAN_ID.nii.gz`` of the same grid as the scan, for a dataset.

    Raises
    ------
    ConfigError
        The name is none for nnU-Net, or masks are named for stacks.
    NothingThere, DatasetError, TableError
        There is no dataset of Hemocast's, or labels or masks are missing or bad.
    OutputExists, NotWritable, NoSpace
        The output cannot be written to.
    """
    if not re.fullmatch(r"[0-9A-Za-z]{1,40}", name):
        raise ConfigError("The name holds other signs", "letters and digits", "Choose another")
    if masks is not None and not masks.is_dir():
        raise NothingThere("There is no such folder of masks", "a folder", "Check the path")
    cohort = Cohort.of(dataset)
    if masks is not None and cohort.stacks:
        raise ConfigError(
            "Masks were named for stacks", "none: theirs lie beside them", "Leave out --masks"
        )
    title = f"Dataset{number:03d}_{name}"
    count = {True: 0, False: 0}
    with new_folder(out) as draft:
        root = draft / title
        for folder in ("imagesTr", "labelsTr", "imagesTs"):
            (root / folder).mkdir(parents=True)
        cases = _stacks(cohort, root) if cohort.stacks else _scans(cohort, root, masks)
        for case in cases:
            count[case.mask is not None] += 1
        content = {
            "channel_names": {"0": "CT"},
            "labels": {"background": 0, "infarct": 1},
            "numTraining": count[True],
            "file_ending": ENDING,
        }
        write_json(root / "dataset.json", content)
    return Exported(out / title, count[True], count[False])


def _image(root: Path, case: _Case) -> Path:
    part = "imagesTs" if case.mask is None else "imagesTr"
    return root / part / f"{case.scan_id}_0000{ENDING}"


def _stacks(cohort: Cohort, root: Path) -> Iterator[_Case]:
    """Write each stack, and its infarct where the cohort has findings."""
    from hemocast.train.pretrain.findings import TABLE, FindingsTable

    stacks, settings = cohort.stacks, PrepareConfig()
    assert stacks is not None  # noqa: S101 - asked by the caller
    home = cohort.dataset.root.parent
    findings = FindingsTable.of_cohort(home) if (home / TABLE).is_file() else None
    array = stacks.open()
    low, high = settings.window
    affine = np.diag([-settings.pixel_mm, -settings.pixel_mm, settings.frame_mm, 1.0])
    for scan_id, row in zip(stacks.scan_id, stacks.rows, strict=True):
        mask = None if findings is None else findings.infarct(row).astype(np.uint8)
        case = _Case(scan_id, mask)
        hu = low + from_levels(array[row]) * (high - low)
        write_nifti(hu, affine, _image(root, case), dtype=np.float32)
        if mask is not None:
            write_nifti(mask, affine, root / "labelsTr" / f"{scan_id}{ENDING}", dtype=np.uint8)
        yield case


def _scans(cohort: Cohort, root: Path, masks: Path | None) -> Iterator[_Case]:
    """Copy each scan, and write its mask where the folder has one."""
    for scan in cohort.scans:
        path = None if masks is None else masks / f"{scan.scan_id}{ENDING}"
        mask = _mask(path, scan.path) if path is not None and path.is_file() else None
        case = _Case(scan.scan_id, None if mask is None else mask[0])
        shutil.copyfile(scan.path, _image(root, case))
        if mask is not None:
            write_nifti(*mask, root / "labelsTr" / f"{scan.scan_id}{ENDING}", dtype=np.uint8)
        yield case


def _mask(path: Path, scan: Path) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read a mask (z, y, x) of 0 and 1 on the scan's grid, and the grid."""
    import nibabel

    try:
        image: Any = nibabel.load(path)
        grid: Any = nibabel.load(scan)
        values = np.asarray(image.dataobj)
        fits = image.shape == grid.shape and np.allclose(image.affine, grid.affine, atol=1e-3)
    except (OSError, ValueError, EOFError, nibabel.filebasedimages.ImageFileError) as error:
        raise TableError("A mask cannot be read", "a NIfTI file", "Write it again") from error
    if not fits or not np.isin(values, (0, 1)).all():
        raise TableError(
            f"The mask of {scan.name.removesuffix(ENDING)} lies on another grid than the scan, or "
            "holds other values than 0 and 1",
            "1 where the infarct is, on the scan's own grid",
            "Resample the mask to the scan",
        )
    return values.astype(np.uint8).transpose(2, 1, 0), np.asarray(grid.affine, np.float64)

"""Maps beside the scans of a finished cohort: how much the barrier leaks, made up (`permeability`).

::

    format dicom:   maps/<study>_map.nii.gz
    format dataset: dataset/derivatives/maps/<scan_id>_map.nii.gz
    format stacks:  stacks/maps.npy, float32 (n, 14, 24, 24): means over the cells of every stack

Values are percent of healthy tissue. NIfTI maps lie on the grid of their scan, and their headers
say that they are simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.random import SeedSequence

from hemocast.config import PrepareConfig, SimulateConfig
from hemocast.dataset.maps import MAPS, map_name
from hemocast.dicom.files.nifti import read_map, write_nifti
from hemocast.files import replacing
from hemocast.prepare.cells import CELLS, cell_means
from hemocast.simulate.disease.permeability import draw_leak, permeability_map
from hemocast.simulate.epidemiology.patients import Patient
from hemocast.volume import SIMULATED, from_levels

DESCRIBED = f"{SIMULATED} permeability, tied to a true risk: no patient"
_LEAK, _TEXTURE = 11, 12
"""Streams of chance."""
_DARKEST = 0.02

Scans = Iterator[tuple[Patient, int]]


def write_stack_maps(
    config: SimulateConfig, patients: tuple[Patient, ...], out: Path, prepare: PrepareConfig
) -> None:
    """Write the maps of stacks, from their infarcts in ``findings``.

    Parameters
    ----------
    config, patients
        As for `hemocast.simulate.write.writer.CohortWriter`.
    out : Path
        The cohort's folder, finished.
    prepare : PrepareConfig
        With which the stacks were made.
    """
    path = out / "stacks" / MAPS
    if path.exists():
        return
    stacks = np.load(out / "stacks" / "stacks.npy", mmap_mode="r", allow_pickle=False)
    lesions = np.load(out / "findings" / "lesions.npy", mmap_mode="r", allow_pickle=False)
    maps = np.full((len(stacks), *CELLS), np.nan, np.float32)
    spacing = (prepare.frame_mm, prepare.pixel_mm, prepare.pixel_mm)
    for row, (patient, number) in enumerate(_scans(patients)):
        frames = from_levels(stacks[row])
        infarct = np.unpackbits(lesions[row], axis=-1, count=frames.shape[-1]).astype(np.float32)
        found = permeability_map(
            infarct, spacing, _leak(config, patient), _texture(config, patient, number)
        )
        maps[row] = cell_means(found, frames > _DARKEST)
    with replacing(path) as draft, draft.open("wb") as file:
        np.save(file, maps, allow_pickle=False)


def write_scan_maps(
    config: SimulateConfig,
    patients: tuple[Patient, ...],
    out: Path,
    sessions: Callable[[Patient], list[str]],
    folder: Path,
) -> None:
    """Write the maps of scans, from the masks of their infarcts among the truth.

    Parameters
    ----------
    config, patients
        As for `hemocast.simulate.write.writer.CohortWriter`; the config asks for masks.
    out : Path
        The cohort's folder, finished.
    sessions : callable
        What the visible part calls a patient's scans, in their order.
    folder : Path
        For the maps.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for patient, number in _scans(patients):
        scan = patient.scans[number]
        path = folder / map_name(sessions(patient)[number])
        if path.exists():
            continue
        mask, affine = read_map(out / "truth" / "masks" / f"{scan.folder}.nii.gz")
        z, y, x = (float(np.linalg.norm(affine[:3, axis])) for axis in (2, 1, 0))
        found = permeability_map(
            mask.transpose(2, 1, 0), (z, y, x), _leak(config, patient),
            _texture(config, patient, number),
        )  # fmt: skip
        write_nifti(found, affine, path, description=DESCRIBED)


def _scans(patients: tuple[Patient, ...]) -> Scans:
    for patient in patients:
        for number in range(len(patient.scans)):
            yield patient, number


def _leak(config: SimulateConfig, patient: Patient) -> float:
    rng = np.random.default_rng(SeedSequence([config.seed, _LEAK, patient.candidate]))
    return draw_leak(patient.risk, rng)


def _texture(config: SimulateConfig, patient: Patient, number: int) -> np.random.Generator:
    seed = SeedSequence([config.seed, _TEXTURE, patient.candidate, number])
    return np.random.default_rng(seed)

"""One simulated scan as a DICOM study, with the mask of its infarct."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from hemocast.config import SimulateConfig
from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.dicom.geometry.regrid import canonical, resample
from hemocast.dicom.geometry.slices import plan
from hemocast.files import new_folder, write_bytes
from hemocast.simulate.epidemiology.patients import Patient, PlannedScan, scan_patient
from hemocast.simulate.scanner.scan import Frames
from hemocast.simulate.scanner.vendors import VENDORS
from hemocast.volume import FloatArray

MARK = "SIMULATED - not a patient"
"""Written into every header."""

VENDORS_OWN = (
    "manufacturer", "model", "kernel", "kvp", "image_type", "signed", "intercept", "padding",
)  # fmt: skip
"""What a header takes from its `Vendor` as it is."""


def write_study(
    config: SimulateConfig, patient: Patient, scan: PlannedScan, folder: Path, out: Path
) -> None:
    """Write one scan as DICOM files without extensions, whole or not at all.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    patient : Patient
        Whose scan it is.
    scan : PlannedScan
        Which.
    folder : Path
        Made by renaming a finished one; left alone where it is already there.
    out : Path
        The cohort's folder: the mask, where the config asks for one, goes to its ``truth/masks``.
    """
    if folder.exists():
        return
    frames = scan_patient(config, patient, scan)
    order = slice(None, None, -1 if VENDORS[scan.vendor].top_first else 1)
    names = [
        hashlib.sha256(f"{scan.folder}{k}".encode()).hexdigest()[:12] for k in range(len(frames.hu))
    ]
    mask = out / "truth" / "masks" / f"{scan.folder}.nii.gz"
    if config.masks and not mask.exists():
        write_mask(frames, mask)
    with new_folder(folder) as partial:
        write_ct(
            frames.hu[order],
            frames.positions[order],
            frames.orientation,
            (frames.pixel_mm, frames.pixel_mm),
            _header(config, patient, scan, frames.thickness_mm[order]),
            [partial / name for name in names],
        )


def _header(
    config: SimulateConfig, patient: Patient, scan: PlannedScan, thickness_mm: NDArray[np.float64]
) -> CTHeader:
    vendor, usual = VENDORS[scan.vendor], scan.protocol.slice_mm == 5  # as the descriptions say
    rng = np.random.default_rng(SeedSequence([config.seed, 4, patient.candidate]))
    onset = datetime(2020, 1, 1) + timedelta(minutes=int(rng.integers(0, 4 * 365 * 24 * 60)))
    study = make_uid("hemocast simulate", config.hash(), patient.patient_id, scan.folder)
    return CTHeader(
        patient_id=patient.patient_id,
        patient_name=f"SIMULATED^{patient.patient_id}",
        study_uid=study,
        series_uid=make_uid(study, "series"),
        study_description=f"SIMULATED {vendor.study_description}",
        series_description=f"{MARK} {vendor.description if usual else 'Head'}"[:64],
        series_number=2,
        acquired=onset + timedelta(hours=scan.hours),
        age=int(patient.age),
        sex="M" if patient.male else "F",
        slice_thickness=thickness_mm,
        gantry_tilt=vendor.tilt_sign * scan.protocol.tilt_degrees,
        institution="SIMULATED",
        image_comments=MARK,
        **{name: getattr(vendor, name) for name in VENDORS_OWN},
    )


def write_mask(frames: Frames, path: Path) -> None:
    """Write the infarct as NIfTI on the grid that `hemocast.read` gives the scan.

    A tilt is taken out and uneven slices are made even as reading does it; then every voxel of
    which half or more is infarcted counts. The same bytes every time.

    Parameters
    ----------
    frames : Frames
        The scan as acquired.
    path : Path
        The file, ``.nii.gz``.
    """
    import nibabel

    def read_one(index: int, out: FloatArray) -> None:
        out[...] = frames.infarct[index]

    pixel, (rows, columns) = frames.pixel_mm, frames.infarct.shape[1:]
    grid = plan(
        frames.positions, tuple(frames.orientation), (pixel, pixel), (rows, columns),
        frames.thickness_mm.tolist(),
    )  # fmt: skip
    share, affine, _ = canonical(resample(read_one, grid, rows, columns), grid.lps)
    mask = (np.asarray(share, np.float32) >= 0.5).astype(np.uint8).transpose(2, 1, 0)
    image: Any = nibabel.nifti1.Nifti1Image(mask, affine)  # type: ignore[no-untyped-call]
    write_bytes(path, gzip.compress(image.to_bytes(), 6, mtime=0))


def write_patient(config: SimulateConfig, patient: Patient, out: Path, dicom: Path) -> int:
    """Write whatever of a patient's scans is not there yet, and return how many scans there are.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    patient : Patient
        Whose scans to write.
    out : Path
        The cohort's folder.
    dicom : Path
        Where the scans before the bleed go; the one with the bleed goes to `out`'s ``bleeds``.
    """
    for scan in patient.scans:
        write_study(config, patient, scan, dicom / scan.folder, out)
    return write_bleed(config, patient, out)


def write_bleed(config: SimulateConfig, patient: Patient, out: Path) -> int:
    """Write the scan that shows the bleed, where one is planned; return the number of scans."""
    if patient.bleed:
        write_study(config, patient, patient.bleed, out / "bleeds" / patient.bleed.folder, out)
    return patient.n_scans

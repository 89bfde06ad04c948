"""One simulated scan as a DICOM study, and a head in memory for tests of the other rooms."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from hemocast.config import SimulateConfig
from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.simulate.detector import Protocol
from hemocast.simulate.head import Head, Infarct, build_head
from hemocast.simulate.patients import Patient, PlannedScan, patient_head, scan_patient
from hemocast.simulate.scanner import Frames, scan_head
from hemocast.simulate.vendors import VENDORS
from hemocast.volume import SIMULATED_DOUBT, Affine, Source, Volume

MARK = "SIMULATED - not a patient"
"""Written into every header."""


def frames_affine(frames: Frames) -> Affine:
    """Return the matrix from voxel (x, y, z, 1) to RAS+ mm; sheared if the gantry is tilted."""
    matrix = np.eye(4)
    matrix[:3, 0] = frames.orientation[:3] * frames.pixel_mm
    matrix[:3, 1] = frames.orientation[3:] * frames.pixel_mm
    matrix[:3, 2] = frames.positions[1] - frames.positions[0]
    matrix[:3, 3] = frames.positions[0]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def render_head(
    seed: int = 0,
    *,
    age: float = 65.0,
    male: bool = True,
    leukoaraiosis: float = 0.15,
    infarct: Infarct | None = None,
    water_uptake: float = 0.2,
    blood_ml: float = 0.0,
    protocol: Protocol | None = None,
    noise: bool = True,
) -> Volume:
    """Render one head in memory.

    Parameters
    ----------
    seed : int
        The same seed gives the same head (and pose and noise), whatever else is asked.
    age : float
        Years; sets atrophy.
    male : bool
        Sets the size a little.
    leukoaraiosis : float
        0 none to 1 severe.
    infarct : Infarct or None
        ``Infarct("MCA", "left", 80.0)``, say.
    water_uptake : float
        The infarct's tissue measures (1 - uptake) of what it would.
    blood_ml : float
        A bleed inside the infarct, mL.
    protocol : Protocol or None
        Matrix, pose, thickness, noise; tilt must be 0. By default upright, 256 x 256, 5 mm.
    noise : bool
        False for exact measurements.

    Returns
    -------
    Volume
        With `source.kind` ``"array"`` and a doubt that says it is simulated.

    Raises
    ------
    ValueError
        The protocol has a gantry tilt: such a scan is no Volume before its tilt is taken out.
    """
    protocol = protocol or Protocol()
    if protocol.tilt_degrees:
        raise ValueError("a Volume has no gantry tilt; write the scan as DICOM instead")
    head = build_head(
        np.random.default_rng(SeedSequence([seed, 2])),
        age=age,
        male=male,
        leukoaraiosis=leukoaraiosis,
        infarct=infarct,
        blood_ml=blood_ml,
    )
    rng = np.random.default_rng(SeedSequence([seed, 3])) if noise else None
    frames = scan_head(head, protocol, water_uptake=water_uptake, rng=rng)
    name = hashlib.sha256(repr((seed, age, male, infarct, water_uptake, blood_ml)).encode())
    doubts = (SIMULATED_DOUBT,)
    source = Source("array", name.hexdigest(), n_files=len(frames.hu), doubts=doubts)
    return Volume(frames.hu, frames_affine(frames), ((),) * len(frames.hu), source)


def write_study(
    config: SimulateConfig, patient: Patient, scan: PlannedScan, folder: Path, head: Head
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
        Made by renaming a finished one; must not exist.
    head : Head
        The patient's head.
    """
    frames = scan_patient(config, patient, scan, head)
    partial = folder.parent.parent / "unfinished" / scan.folder
    shutil.rmtree(partial, ignore_errors=True)
    order = slice(None, None, -1 if VENDORS[scan.vendor].top_first else 1)
    names = [
        hashlib.sha256(f"{scan.folder}{k}".encode()).hexdigest()[:12] for k in range(len(frames.hu))
    ]
    write_ct(
        frames.hu[order],
        frames.positions[order],
        frames.orientation,
        (frames.pixel_mm, frames.pixel_mm),
        _header(config, patient, scan),
        partial,
        names=names,
    )
    if config.masks:
        _write_mask(frames, folder.parent.parent / "truth" / "masks" / f"{scan.folder}.nii.gz")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(folder)


def _header(config: SimulateConfig, patient: Patient, scan: PlannedScan) -> CTHeader:
    vendor = VENDORS[scan.vendor]
    rng = np.random.default_rng(SeedSequence([config.seed, 4, patient.candidate]))
    onset = datetime(2020, 1, 1) + timedelta(minutes=int(rng.integers(0, 4 * 365 * 24 * 60)))
    study = make_uid("hemocast simulate", config.hash(), patient.patient_id, scan.folder)
    return CTHeader(
        patient_id=patient.patient_id,
        patient_name=f"SIMULATED^{patient.patient_id}",
        study_uid=study,
        series_uid=make_uid(study, "series"),
        study_description="SIMULATED HEAD CT",
        series_description=f"{MARK} {vendor.description}"[:64],
        series_number=2,
        acquired=onset + timedelta(hours=scan.hours),
        age=int(patient.age),
        sex="M" if patient.male else "F",
        manufacturer=vendor.manufacturer,
        model=vendor.model,
        kernel=vendor.kernel,
        slice_thickness=config.slice_mm,
        gantry_tilt=vendor.tilt_sign * scan.protocol.tilt_degrees,
        image_type=vendor.image_type,
        institution="SIMULATED",
        image_comments=MARK,
    )


def _write_mask(frames: Frames, path: Path) -> None:
    """Write the infarct (half a voxel or more) as NIfTI, the same bytes every time."""
    import nibabel

    mask = (frames.infarct >= 0.5).astype(np.uint8).transpose(2, 1, 0)
    image: Any = nibabel.nifti1.Nifti1Image(mask, frames_affine(frames))  # type: ignore[no-untyped-call]
    content = image.to_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(gzip.compress(content, 6, mtime=0))
    partial.replace(path)


def is_written(patient: Patient, out: Path) -> bool:
    """Tell whether all of a patient's scans are there."""
    folders = [out / "dicom" / scan.folder for scan in patient.scans]
    if patient.bleed:
        folders.append(out / "bleeds" / patient.bleed.folder)
    return all(folder.exists() for folder in folders)


def write_patient(config: SimulateConfig, patient: Patient, out: Path) -> int:
    """Write whatever of a patient's scans is not there yet, and return how many scans there are.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    patient : Patient
        Whose scans to write.
    out : Path
        The cohort's folder.
    """
    missing = [scan for scan in patient.scans if not (out / "dicom" / scan.folder).exists()]
    if missing:
        head = patient_head(config, patient)
        for scan in missing:
            write_study(config, patient, scan, out / "dicom" / scan.folder, head)
    bleed = patient.bleed
    if bleed and not (out / "bleeds" / bleed.folder).exists():
        head = patient_head(config, patient, bleed.blood_ml)
        write_study(config, patient, bleed, out / "bleeds" / bleed.folder, head)
    return patient.n_scans

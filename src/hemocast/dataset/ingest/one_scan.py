"""One scan into a dataset: read, looked at, written. What every worker does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast import files
from hemocast.dataset.layout import Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.sidecar import Sidecar, Signs
from hemocast.errors import (
    BloodPresent,
    HemocastError,
    NoSpace,
    NotAligned,
    NotCovered,
    NotWritable,
)
from hemocast.left_out import RefusedStudy
from hemocast.version import VERSION
from hemocast.volume import SIMULATED

if TYPE_CHECKING:
    from hemocast.config import PrepareConfig
    from hemocast.dataset.ingest.sources import Candidate
    from hemocast.prepare.eligibility import Looked
    from hemocast.volume import Volume

_NOT_UPRIGHT = (
    "the head could not be set upright: it is not known whether its header has left and right the "
    "right way round"
)
MOST_AGED = 90  # who is 90 or older is told as 90 (45 CFR 164.514(b)(2)(i)(C))


@dataclass(frozen=True, repr=False)
class Job:
    """A scan to read. Not shown: what it was found as is protected health information.

    Parameters
    ----------
    scan : ScanId
        Its name.
    scan_uid : str
        Pseudonym of what it is read from.
    study : str
        Pseudonym of its study.
    acquired : datetime or None
        Shifted.
    candidate : Candidate
        What to read.
    """

    scan: ScanId
    scan_uid: str
    study: str
    acquired: datetime | None
    candidate: Candidate


def ingest_scan(
    job: Job, dataset: Dataset, prepare: PrepareConfig | None = None
) -> RefusedStudy | None:
    """Read one scan and write its folder, NIfTI and sidecar together or not at all.

    A scan in which there is no brain is refused, one with bright vessels, and one whose header has
    the head lying as no patient does; one that shows blood is flagged, for follow-up scans must
    enter. With settings for it an eligible scan is prepared as well, and its stack kept.

    Returns
    -------
    RefusedStudy or None
        Why it did not enter.
    """
    from hemocast import dicom
    from hemocast.prepare.eligibility import look

    path = dataset.scan_path(job.scan)
    try:
        volume = job.candidate.read()
        looked = look(volume)
        sidecar = _sidecar(job, volume, looked)
        _remove_half(path)
        with files.new_folder(path.parent) as folder:
            description = f"{SIMULATED}, not a patient" if sidecar.simulated else ""
            dicom.write_nifti(volume.hu, volume.affine, folder / path.name, description=description)
            name = f"{job.scan}_ct.json"
            files.write_json(folder / name, sidecar.model_dump(mode="json"))
        if prepare:
            _keep_stack(volume, looked, prepare, dataset.stacks)
    except (NoSpace, NotWritable):
        raise
    except HemocastError as error:
        return RefusedStudy(job.scan.participant_id, error.code, str(error), job.study)
    return None


def _keep_stack(volume: Volume, looked: Looked, config: PrepareConfig, cache: Path) -> None:
    """Prepare a scan while its brain is known; one that is not eligible is refused when used."""
    from hemocast.prepare.cache import keep_stack
    from hemocast.prepare.eligibility import eligible

    try:
        stack = eligible(volume, config, looked).stack
    except (NotAligned, BloodPresent, NotCovered):
        return
    keep_stack(stack, cache)


def _remove_half(nifti: Path) -> None:
    """Remove what version 0.1 left of this scan when it was killed; anything else stays."""
    folder = nifti.parent
    half = {nifti.name, f".{nifti.name}.partial"}
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= half:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _sidecar(job: Job, volume: Volume, looked: Looked) -> Sidecar:
    source, pose = volume.source, looked.upright
    age = job.candidate.age
    depth, rows, columns = volume.hu.shape
    spacing = [round(float(value), 4) for value in volume.spacing]
    return Sidecar(
        participant_id=job.scan.participant_id,
        session=job.scan.session,
        scan_uid=job.scan_uid,
        acq_time=job.acquired and job.acquired.replace(microsecond=0),
        age=None if age is None else min(age, MOST_AGED),
        sex=job.candidate.sex,
        shape=(depth, rows, columns),
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        n_files=source.n_files,
        simulated=source.simulated,
        facts=source.facts,
        corrected=source.corrected,
        doubts=source.doubts + (pose.doubts if pose else (_NOT_UPRIGHT,)),
        chosen=job.candidate.chosen,
        left_out=source.left_out,
        signs=Signs(
            brain_ml=round(looked.brain.volume_ml, 1),
            blood=looked.blood.present,
            blood_ml=round(looked.blood.volume_ml, 2),
            sides_known=pose.sides_known if pose else None,
        ),
        hemocast_version=VERSION,
    )

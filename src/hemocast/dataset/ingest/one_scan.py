"""One scan into a dataset: read, looked at, written. What every worker does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hemocast.dataset.layout import Dataset, write_json
from hemocast.dataset.tables.sidecars import Refused
from hemocast.errors import HemocastError
from hemocast.version import VERSION
from hemocast.volume import SIMULATED

if TYPE_CHECKING:
    from hemocast.anatomy import Brain
    from hemocast.dataset.ingest.sources import Candidate
    from hemocast.signs import Blood
    from hemocast.volume import Volume

MOST_AGED = 90  # who is 90 or older is told as 90 (45 CFR 164.514(b)(2)(i)(C))


@dataclass(frozen=True, repr=False)
class Job:
    """A scan to read. Not shown: what it was found as is protected health information.

    Parameters
    ----------
    participant_id, session, study : str
        Pseudonyms.
    acquired : datetime or None
        Shifted.
    candidate : Candidate
        What to read.
    """

    participant_id: str
    session: str
    study: str
    acquired: datetime | None
    candidate: Candidate


def ingest_scan(job: Job, dataset: Dataset) -> Refused | None:
    """Read one scan and write its NIfTI, then its sidecar: a scan without sidecar is not there.

    A scan in which there is no brain is refused, and one with bright vessels; one that shows blood
    is flagged, for follow-up scans must enter.

    Returns
    -------
    Refused or None
        Why it did not enter.
    """
    from hemocast import dicom
    from hemocast.anatomy import find_brain
    from hemocast.prepare.eligibility import refuse_enhancement
    from hemocast.signs import find_blood

    path = dataset.scan_path(job.participant_id, job.session)
    try:
        volume = job.candidate.read()
        brain = find_brain(volume)
        refuse_enhancement(volume, brain)
    except HemocastError as error:
        return Refused(job.participant_id, error.code, str(error), job.study)
    blood = find_blood(volume, brain)
    path.parent.mkdir(parents=True, exist_ok=True)
    description = f"{SIMULATED}, not a patient" if volume.source.simulated else ""
    dicom.write_nifti(volume.hu, volume.affine, path, description=description)
    sidecar = path.with_name(f"{path.name.removesuffix('.nii.gz')}.json")
    write_json(sidecar, _sidecar(job, volume, brain, blood))
    return None


def _sidecar(job: Job, volume: Volume, brain: Brain, blood: Blood) -> dict[str, Any]:
    source = volume.source
    age = job.candidate.age
    return {
        "participant_id": job.participant_id,
        "session": job.session,
        "scan_uid": source.scan_uid,
        "acq_time": job.acquired.isoformat(timespec="seconds") if job.acquired else None,
        "age": None if age is None else min(age, MOST_AGED),
        "sex": job.candidate.sex,
        "shape": list(volume.hu.shape),
        "spacing_mm": [round(value, 4) for value in volume.spacing],
        "n_files": source.n_files,
        "simulated": source.simulated,
        "facts": source.facts,
        "corrected": list(source.corrected),
        "doubts": list(source.doubts),
        "chosen": list(job.candidate.chosen),
        "left_out": list(source.left_out),
        "signs": {
            "brain_ml": round(brain.volume_ml, 1),
            "blood": blood.present,
            "blood_ml": round(blood.volume_ml, 2),
        },
        "hemocast_version": VERSION,
    }

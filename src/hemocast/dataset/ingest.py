"""DICOM folders and zips in; a dataset folder with pseudonyms out."""

from __future__ import annotations

import hashlib
import hmac
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast.dataset.layout import Dataset, write_json
from hemocast.dataset.pseudonym import participant_id
from hemocast.dataset.tables import Refused, read_labels, read_sidecar, write_tables
from hemocast.errors import HemocastError
from hemocast.version import VERSION
from hemocast.volume import SIMULATED

if TYPE_CHECKING:
    from hemocast.dicom import Scan
    from hemocast.volume import Volume

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class IngestReport:
    """What became of all studies.

    Parameters
    ----------
    added, already_there : int
        Scans written by this run, and by earlier ones.
    refused : tuple of Refused
        One for every study left out.
    unlabelled : int
        Participants of the dataset without a label.
    """

    added: int
    already_there: int
    refused: tuple[Refused, ...]
    unlabelled: int


@dataclass(frozen=True)
class _Job:
    participant_id: str
    session: str
    acquired: datetime | None
    scan: Scan


def ingest(
    sources: Sequence[Path],
    out: Path,
    key: bytes,
    *,
    labels: Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> IngestReport:
    """Read every study in `sources` and add its head CT to the dataset in `out`.

    Scans that are already there (by the hash of their UIDs) are left as they are. A study that
    is refused costs that study; the reason goes to ``quality/refused.tsv``.

    Parameters
    ----------
    sources : sequence of Path
        Folders and zips of DICOM files, of any number of patients.
    out : Path
        The dataset folder; made where there is none.
    key : bytes
        The secret of the pseudonyms.
    labels : Path, optional
        CSV with columns ``patient_id`` (as in the DICOM files) and ``label`` (1 HT, 0 no HT).
    workers : int
        Processes.
    progress : callable, optional
        Called with (done, total).

    Raises
    ------
    TableError
        The labels have bad cells; nothing has been written then.
    """
    from joblib import Parallel, delayed

    from hemocast import dicom

    given = read_labels(labels) if labels else {}
    dataset = Dataset(out)
    _remove_partial(dataset)
    refused: list[Refused] = []
    with ExitStack() as opened:
        scans: list[Scan] = []
        for source in sources:
            found = dicom.find_scans(opened.enter_context(dicom.open_path(source)))
            scans.extend(found.scans)
            refused.extend(
                Refused(participant_id(key, item.patient_id), item.error.code, str(item.error))
                for item in found.refused
            )
        jobs, already_there = _plan(scans, dataset, key)
        results = Parallel(n_jobs=workers, return_as="generator_unordered")(
            delayed(_ingest_scan)(job, dataset) for job in jobs
        )
        for done, outcome in enumerate(results, start=1):
            if outcome is not None:
                refused.append(outcome)
            if progress:
                progress(done, len(jobs))
    labelled = {participant_id(key, patient): label for patient, label in given.items()}
    participants = write_tables(dataset, labelled, refused)
    written = len(dataset.sidecars()) - already_there
    unlabelled = sum(participant not in labelled for participant in participants)
    return IngestReport(written, already_there, tuple(refused), unlabelled)


def _plan(scans: Sequence[Scan], dataset: Dataset, key: bytes) -> tuple[list[_Job], int]:
    """Give every new scan its session: after the ones already there, in the order of time."""
    known: set[str] = set()
    taken: dict[str, int] = defaultdict(int)
    for sidecar in dataset.sidecars():
        content = read_sidecar(sidecar)
        known.add(content["scan_uid"])
        number = int(content["session"].removeprefix("ses-"))
        taken[content["participant_id"]] = max(taken[content["participant_id"]], number)
    fresh = {scan.series.scan_uid: scan for scan in scans if scan.series.scan_uid not in known}
    jobs = []
    for scan in sorted(fresh.values(), key=lambda s: (s.acquired or datetime.max, s.study_uid)):
        patient = participant_id(key, scan.patient_id)
        taken[patient] += 1
        acquired = scan.acquired and scan.acquired - _date_shift(key, scan.patient_id)
        jobs.append(_Job(patient, f"ses-{taken[patient]:02d}", acquired, scan))
    return jobs, len(known)


def _date_shift(key: bytes, patient_id: str) -> timedelta:
    """Shift of all dates of a patient: keeps intervals, and lands before 1925 as BIDS asks."""
    digest = hmac.new(key, b"dates:" + patient_id.strip().encode(), hashlib.sha256).digest()
    return timedelta(days=40000 + int.from_bytes(digest[:4], "big") % 3650)


def _ingest_scan(job: _Job, dataset: Dataset) -> Refused | None:
    """Read one scan and write its NIfTI, then its sidecar: a scan without sidecar is not there."""
    from hemocast import dicom

    path = dataset.scan_path(job.participant_id, job.session)
    try:
        volume = dicom.read_series(job.scan.series, job.scan.left_out)
    except HemocastError as error:
        return Refused(job.participant_id, error.code, str(error))
    path.parent.mkdir(parents=True, exist_ok=True)
    description = f"{SIMULATED}, not a patient" if volume.source.simulated else ""
    dicom.write_nifti(volume.hu, volume.affine, path, description=description)
    write_json(path.with_name(f"{path.name.removesuffix('.nii.gz')}.json"), _sidecar(job, volume))
    return None


def _sidecar(job: _Job, volume: Volume) -> dict[str, Any]:
    source = volume.source
    return {
        "participant_id": job.participant_id,
        "session": job.session,
        "scan_uid": source.scan_uid,
        "acq_time": job.acquired.isoformat(timespec="seconds") if job.acquired else None,
        "age": job.scan.age,
        "sex": job.scan.sex,
        "shape": list(volume.hu.shape),
        "spacing_mm": [round(value, 4) for value in volume.spacing],
        "n_files": source.n_files,
        "simulated": source.simulated,
        "facts": source.facts,
        "corrected": list(source.corrected),
        "doubts": list(source.doubts),
        "left_out": list(source.left_out),
        "hemocast_version": VERSION,
    }


def _remove_partial(dataset: Dataset) -> None:
    """Remove what a killed run left: folders of scans that have no sidecar."""
    complete = {path.parent for path in dataset.sidecars()}
    for folder in dataset.root.glob("sub-*/ses-*/ct"):
        if folder not in complete:
            shutil.rmtree(folder)

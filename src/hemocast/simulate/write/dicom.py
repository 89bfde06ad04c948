"""A simulated cohort as DICOM studies, with tables beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hemocast.config import SimulateConfig
from hemocast.simulate.epidemiology.patients import Patient
from hemocast.simulate.workers import open_workers
from hemocast.simulate.write import tables
from hemocast.simulate.write.study import write_patient, write_whole


def write_dicom(
    config: SimulateConfig,
    patients: Sequence[Patient],
    out: Path,
    workers: int,
    progress: Callable[[int, int], None],
) -> dict[str, str]:
    """Write whatever is missing of a cohort as DICOM, then its tables.

    Returns
    -------
    dict
        patient_id -> what the visible part calls the patient: the same.
    """
    done, total = 0, sum(p.n_scans for p in patients)
    progress(0, total)
    work = partial(write_patient, config, out=out, dicom=out / "dicom")
    with open_workers(workers) as each:
        for count in each(work, patients):
            done += count
            progress(done, total)
    labels: list[tables.Row] = []
    clinical, follow_up, reviews = list(labels), list(labels), list(labels)
    for patient in patients:
        name: tables.Row = {"patient_id": patient.patient_id}
        labels.append(name | {"label": patient.label})
        clinical.append(name | tables.person_row(patient) | tables.clinical_row(patient))
        follow_up.append(name | tables.follow_up_row(patient))
        reviews += [name | row for row in tables.review_rows(config, patient)]
    files = {"labels": labels, "clinical": clinical, "followup": follow_up, "reviews": reviews}
    for table, rows in files.items():
        write_whole(out / f"{table}.csv", tables.to_csv(rows).encode(), out / "unfinished")
    return {p.patient_id: p.patient_id for p in patients}

"""A simulated cohort straight as stacks: no DICOM, no preparation; the head is rendered upright.

``stacks.npy`` is the array that `hemocast.train.StackTable` maps; ``scans.tsv`` names every scan's
row in it, and the other tables are those of a dataset, so that cohort, split and training find
labels where they look for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from hemocast.config import PrepareConfig, SimulateConfig
from hemocast.dataset.ingest.run import remove_partial
from hemocast.dataset.layout import Dataset, write_json, write_table
from hemocast.simulate.epidemiology.patients import Patient, noise_rng, patient_head
from hemocast.simulate.workers import open_workers
from hemocast.simulate.write import tables
from hemocast.simulate.write.dataset import write_patient_tables
from hemocast.simulate.write.study import write_bleed, write_whole
from hemocast.version import VERSION
from hemocast.volume import to_levels

SCANS = (
    "scan_id", "row", "hours_from_onset", "hours_from_first", "blood", "manufacturer", "model",
    "kernel",
)  # fmt: skip


def write_stacks(
    config: SimulateConfig,
    patients: Sequence[Patient],
    out: Path,
    prepare: PrepareConfig,
    workers: int,
    progress: Callable[[int, int], None],
) -> dict[str, str]:
    """Write whatever is missing of a cohort as stacks, then its tables.

    Returns
    -------
    dict
        patient_id -> participant_id: ``sub-`` and the same.
    """
    remove_partial(Dataset(out / "stacks"))
    array = out / "stacks" / "stacks.npy"
    done, total = 0, sum(p.n_scans for p in patients)
    progress(0, total)
    parts = out / "unfinished" / "stacks"
    if not array.exists():
        work = partial(render_patient, config, prepare=prepare, out=out, parts=parts)
        with open_workers(workers) as each:
            for count in each(work, patients):
                done += count
                progress(done, total)
        _assemble(patients, parts, prepare, array)
    progress(total, total)
    names = {p.patient_id: f"sub-{p.patient_id}" for p in patients}
    _write_tables(config, patients, names, out / "stacks")
    return names


def render_patient(
    config: SimulateConfig, patient: Patient, *, prepare: PrepareConfig, out: Path, parts: Path
) -> int:
    """Render a patient's stacks into one file, and the bleed as DICOM; return how many scans."""
    from hemocast.simulate.scanner.stack import render_stack

    path = parts / patient.patient_id
    if not path.exists():
        levels = [
            to_levels(
                render_stack(
                    patient_head(config, patient, scan),
                    scan.protocol,
                    prepare,
                    water_uptake=scan.uptake_rendered,
                    shift_mm=scan.shift_mm,
                    rng=noise_rng(config, scan),
                ).frames
            )
            for scan in patient.scans
        ]
        write_whole(path, np.stack(levels).tobytes(), out / "unfinished")
    write_bleed(config, patient, out)
    return patient.n_scans


def _assemble(
    patients: Sequence[Patient], parts: Path, prepare: PrepareConfig, array: Path
) -> None:
    """Put the patients' files one behind the other, one in memory at a time."""
    count = sum(len(p.scans) for p in patients)
    header = {
        "descr": "|u1",
        "fortran_order": False,
        "shape": (count, prepare.frames, prepare.size, prepare.size),
    }
    array.parent.mkdir(parents=True, exist_ok=True)
    draft = parts.parent / "stacks.npy"
    with draft.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for patient in patients:
            file.write((parts / patient.patient_id).read_bytes())
    draft.replace(array)


def _write_tables(
    config: SimulateConfig, patients: Sequence[Patient], names: dict[str, str], root: Path
) -> None:
    scans: list[tables.Row] = []
    people: list[tables.Row] = []
    for patient in patients:
        name = names[patient.patient_id]
        people.append({"participant_id": name, **tables.person_row(patient)})
        sessions = [f"{name}_ses-{k + 1:02d}" for k in range(len(patient.scans))]
        for row in tables.scan_rows(patient, sessions):
            scans.append({"participant_id": name, "row": len(scans), **row})
    write_table(root / "participants.tsv", people, ["participant_id", "age", "sex", "site"])
    write_table(root / "scans.tsv", scans, ["participant_id", *SCANS])
    write_patient_tables(config, [(names[p.patient_id], p) for p in patients], root)
    description = {
        "Name": "SIMULATED head CT, not patients",
        "DatasetType": "derivative",
        "Simulated": True,
        "GeneratedBy": [{"Name": "hemocast", "Version": VERSION}],
    }
    write_json(root / "dataset_description.json", description)

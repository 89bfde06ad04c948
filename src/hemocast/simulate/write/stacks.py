"""A simulated cohort straight as stacks: no DICOM, no preparation; the head is rendered upright.

``stacks/stacks.npy`` is the array that `hemocast.train.StackTable` maps; ``scans.tsv`` names every
scan's row in it, and the other tables are those of a dataset, so that cohort, split and training
find labels where they look for them. Apart, in ``findings``, lies what a perfect reader would mark
on every scan, for pre-training, and nothing of the outcome: ``lesions.npy``, one bit per voxel of
the same stacks, and ``findings.tsv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from hemocast.config import PrepareConfig, SimulateConfig
from hemocast.files import json_text, replacing, write_bytes
from hemocast.simulate.epidemiology.patients import Patient, noise_rng, patient_head
from hemocast.simulate.write import tables
from hemocast.simulate.write.study import write_bleed
from hemocast.simulate.write.writer import UNFINISHED, CohortWriter, dicom_bytes
from hemocast.version import SIMULATOR_VERSION, VERSION
from hemocast.volume import to_levels

SCANS = (
    "scan_id", "row", "hours_from_onset", "hours_from_first", "blood", "manufacturer", "model",
    "kernel", "slice_mm",
)  # fmt: skip

DESCRIPTION = "dataset_description.json"

FINDINGS = "findings"
"""Folder of what a perfect reader would mark."""

LESION = ".lesion"
"""End of the name of a patient's file of lesions, until they are put together."""


@dataclass(frozen=True)
class StacksWriter(CohortWriter):
    """A cohort as one array in ``stacks``.

    Parameters
    ----------
    prepare : PrepareConfig
        Frames, grid and window.
    """

    prepare: PrepareConfig

    def name(self, patient: Patient) -> str:
        """Return the patient's number as a participant's."""
        return f"sub-{patient.patient_id}"

    @property
    def _array(self) -> Path:
        return self.out / "stacks" / "stacks.npy"

    @property
    def _lesions(self) -> Path:
        return self.out / FINDINGS / "lesions.npy"

    @property
    def _is_whole(self) -> bool:
        return self._array.exists() and self._lesions.exists()

    @property
    def _count(self) -> int:
        return sum(len(p.scans) for p in self.patients)

    def tables(self) -> dict[str, str]:
        """Return a dataset's tables, with the rows of the array, and its description."""
        scans: list[tables.Row] = []
        people: list[tables.Row] = []
        for patient in self.patients:
            person: tables.Row = {"participant_id": self.name(patient)}
            people.append(person | tables.person_row(patient))
            for row in tables.scan_rows(patient, self.sessions(patient)):
                scans.append(person | {"row": len(scans)} | row)
        named = [(self.name(p), p) for p in self.patients]
        texts = {
            "participants.tsv": tables.tsv_text(people, ["participant_id", "age", "sex", "site"]),
            "scans.tsv": tables.tsv_text(scans, ["participant_id", *SCANS]),
            **tables.patient_tables(self.config, named),
        }
        if not (self.out / "stacks" / DESCRIPTION).exists():  # another version's may stay
            texts[DESCRIPTION] = json_text(
                {
                    "Name": "SIMULATED head CT, not patients",
                    "DatasetType": "derivative",
                    "Simulated": True,
                    "SimulatorVersion": SIMULATOR_VERSION,
                    "GeneratedBy": [{"Name": "hemocast", "Version": VERSION}],
                }
            )
        found = [
            {"row": i} | row
            for i, row in enumerate(
                row for p in self.patients for row in tables.finding_rows(p, self.sessions(p))
            )
        ]
        columns = ["scan_id", "row", *tables.FOUND]
        return {
            **{f"stacks/{name}": text for name, text in texts.items()},
            f"{FINDINGS}/findings.tsv": tables.tsv_text(found, columns),
        }

    def space(self) -> float:
        """Return the size of both arrays, twice, for their parts; and of the bleeds."""
        bleeds = sum(dicom_bytes(p.bleed) for p in self.patients if p.bleed)
        if self._is_whole:
            return bleeds
        return bleeds + 2 * self._count * self.prepare.frames * self.prepare.size**2 * 9 / 8

    def render(self) -> None:
        """Write the arrays, from two files for every patient, which a killed run leaves."""
        parts = self.out / UNFINISHED / "stacks"
        self.clean("stacks", FINDINGS, f"{UNFINISHED}/stacks")
        if self._is_whole:
            work = partial(write_bleed, self.config, out=self.out)
        else:
            work = partial(
                render_patient, self.config, prepare=self.prepare, out=self.out, parts=parts
            )
        self.render_each(work)
        size = self.prepare.size
        for path, part, width in (
            (self._array, "", size),
            (self._lesions, LESION, -(-size // 8)),
        ):
            if not path.exists():
                self._assemble(
                    path, [parts / f"{p.patient_id}{part}" for p in self.patients], width
                )

    def _assemble(self, path: Path, parts: list[Path], width: int) -> None:
        """Put the patients' files one behind the other, one in memory at a time."""
        shape = (self._count, self.prepare.frames, self.prepare.size, width)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        with replacing(path) as draft, draft.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(part.read_bytes())


def render_patient(
    config: SimulateConfig, patient: Patient, *, prepare: PrepareConfig, out: Path, parts: Path
) -> int:
    """Render a patient's stacks and lesions, and the bleed as DICOM; return how many scans."""
    from hemocast.simulate.scanner.stack import render_infarct

    path = parts / patient.patient_id  # written last: where it is, the lesions are too
    if not path.exists():
        levels, lesions = [], []
        for scan in patient.scans:
            head, rng = patient_head(config, patient, scan), noise_rng(config, scan)
            stack, infarct = render_infarct(head, scan.protocol, prepare, rng)
            levels.append(to_levels(stack.frames))
            lesions.append(np.packbits(infarct, axis=-1))
        write_bytes(parts / f"{patient.patient_id}{LESION}", np.stack(lesions).tobytes())
        write_bytes(path, np.stack(levels).tobytes())
    return write_bleed(config, patient, out)

"""A simulated cohort as a dataset folder: rendered as DICOM, then taken in as anyone's would be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hemocast.config import PrepareConfig
from hemocast.dataset.description import NAME as DESCRIPTION
from hemocast.dataset.description import adopt_key, read_description
from hemocast.dataset.ingest.run import IngestReport, ingest
from hemocast.dataset.ingest.workers import Workers
from hemocast.dataset.layout import Dataset
from hemocast.dataset.pseudonym import known_key, participant_id
from hemocast.errors import ConfigError, OutputExists
from hemocast.files import write_json, write_text
from hemocast.simulate.epidemiology.patients import Patient
from hemocast.simulate.workers import open_workers
from hemocast.simulate.write import tables
from hemocast.simulate.write.study import write_patient
from hemocast.simulate.write.tables import Row
from hemocast.simulate.write.writer import UNFINISHED, CohortWriter, dicom_bytes
from hemocast.tables import MISSING
from hemocast.version import SIMULATOR_VERSION

BATCH_BYTES = 1e9
"""DICOM files that lie on the disk at once, about: one batch is rendered, then taken in."""

COMPRESSED = 0.6
"""Size of a scan in the dataset by that of its DICOM files, at most; noise compresses badly."""


def cohort_key(seed: int) -> bytes:
    """Return the secret of a simulated cohort's pseudonyms."""
    return known_key(f"simulate {seed}")


@dataclass(frozen=True)
class DatasetWriter(CohortWriter):
    """A cohort as a dataset in ``dataset``.

    Scans with the bleed stay outside, as DICOM in ``bleeds``: who wants them in ingests them.

    Parameters
    ----------
    prepare : PrepareConfig, optional
        Also keep the scans' stacks with these settings, as `hemocast.dataset.ingest.run.ingest`
        does.
    """

    prepare: PrepareConfig | None = None

    @property
    def _dataset(self) -> Dataset:
        return Dataset(self.out / "dataset")

    def name(self, patient: Patient) -> str:
        """Return the patient's pseudonym."""
        return participant_id(cohort_key(self.config.seed), patient.patient_id)

    def tables(self) -> dict[str, str]:
        """Return clinical data and reviews, which the simulator alone writes."""
        named = sorted((self.name(p), p) for p in self.patients)
        texts = tables.patient_tables(self.config, named)
        return {f"dataset/{name}": text for name, text in texts.items() if name != "labels.tsv"}

    def filled_tables(self) -> dict[str, str]:
        """Return the tables that ingest has made, with labels, follow-up and sites filled in."""
        labels = {self.name(p): tables.label_row(p) for p in self.patients}
        sites: dict[str, Row] = {self.name(p): {"site": p.site} for p in self.patients}
        return {
            f"dataset/{name}.tsv": self._filled(name, known)
            for name, known in (("labels", labels), ("participants", sites))
            if (self._dataset.root / f"{name}.tsv").is_file()
        }

    def _filled(self, name: str, known: Mapping[str, Row]) -> str:
        """Fill what is known of each participant into a table; all else in it stays."""
        table = self._dataset.table(name)
        rows: list[Row] = [dict(zip(table.columns, row, strict=True)) for row in table.to_numpy()]
        for row in rows:
            for column, value in known.get(str(row["participant_id"]), {}).items():
                text = MISSING if value is None else str(value)
                if row.get(column, MISSING) not in (MISSING, text):
                    raise OutputExists(
                        f"{name}.tsv of the simulated dataset holds another {column} than was "
                        "simulated",
                        "what was written there; columns and rows may have been added",
                        "Keep your changes, and simulate into another folder",
                    )
                row[column] = text
        added = [c for c in next(iter(known.values())) if c not in table.columns]
        return tables.tsv_text(rows, [*table.columns, *added])

    def space(self) -> float:
        """Return the size of the scans that are missing, of one batch, and of the bleeds."""
        bleeds = sum(dicom_bytes(p.bleed) for p in self.patients if p.bleed)
        scans = sum(
            dicom_bytes(scan) for p in self.patients if not self._is_there(p) for scan in p.scans
        )
        return COMPRESSED * scans + min(scans, BATCH_BYTES) + bleeds

    def render(self) -> None:
        """Render the patients batch by batch, and take each batch in.

        Raises
        ------
        ConfigError
            A simulated study is refused when it is taken in.
        """
        self._write_key()
        unfinished = self.out / UNFINISHED
        dicom, taken = unfinished / "dicom", unfinished / "taken"
        self.clean(f"{UNFINISHED}/dicom")
        shutil.rmtree(taken, ignore_errors=True)
        total = sum(p.n_scans + len(p.scans) for p in self.patients)
        done = 0
        with open_workers(self.workers) as each:
            for batch in self._batches():
                missing = [p for p in batch if not self._is_there(p)]
                # A run may have been killed when all scans were in, but not their tables.
                again = any((dicom / s.folder).exists() for p in batch for s in p.scans)
                done += sum(p.n_scans + len(p.scans) for p in batch if p not in missing)
                self.progress(done, total)
                work = partial(write_patient, self.config, out=self.out, dicom=dicom)
                for count in each(work, missing):
                    done += count
                    self.progress(done, total)
                if missing or again:
                    self._take_in(done, total)
                    # At once: what is half removed would be taken for a bad study.
                    dicom.rename(taken)
                    shutil.rmtree(taken)
                    done += sum(len(p.scans) for p in missing)

    def _write_key(self) -> None:
        path, text = self.out / "dataset.key", f"{cohort_key(self.config.seed).hex()}\n"
        if not path.exists():
            write_text(path, text, private=True)
        elif path.read_bytes() != text.encode():
            raise OutputExists(
                "dataset.key is not the simulated cohort's", "it, or no such file", "Move it away"
            )

    def _take_in(self, done: int, total: int) -> None:
        """Ingest a batch; stop at a study that did not enter, or sessions would be misnumbered."""

        def move(more: int, _: int) -> None:
            self.progress(done + more, total)

        dicom, key = self.out / UNFINISHED / "dicom", cohort_key(self.config.seed)
        adopt_key(self._dataset.root, key, [p.patient_id for p in self.patients])
        report: IngestReport = ingest(
            [dicom],
            self._dataset.root,
            key,
            prepare=self.prepare,
            workers=Workers(self.workers),
            progress=move,
        )
        about = read_description(self._dataset.root)
        if about.get("SimulatorVersion") != SIMULATOR_VERSION:
            about["SimulatorVersion"] = SIMULATOR_VERSION
            write_json(self._dataset.root / DESCRIPTION, about)
        if report.refused:
            raise ConfigError(
                f"The dataset refused {len(report.refused)} of the simulated studies, the first "
                f"with {report.refused[0].code}",
                "settings under which every simulated scan can be taken in",
                "See dataset/quality/refused.tsv in the output folder, change the settings, and "
                "simulate into a new folder",
            )

    def _batches(self) -> Iterator[Sequence[Patient]]:
        """Yield the cohort in parts that depend on the plan alone, so that runs agree."""
        batch: list[Patient] = []
        size = 0.0
        for patient in self.patients:
            batch.append(patient)
            size += sum(map(dicom_bytes, patient.scans))
            if size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0.0
        if batch:
            yield batch

    def _is_there(self, patient: Patient) -> bool:
        """Whether all of a patient's scans are."""
        scans = self._dataset.root.glob(f"{self.name(patient)}/ses-*/ct/*_ct.json")
        bled = patient.bleed is None or (self.out / "bleeds" / patient.bleed.folder).exists()
        return bled and len(list(scans)) == len(patient.scans)

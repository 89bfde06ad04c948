"""A simulated cohort as a dataset folder: rendered as DICOM, then taken in as anyone's would be."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from hemocast.config import SimulateConfig
from hemocast.dataset.ingest.run import IngestReport, ingest, remove_partial
from hemocast.dataset.layout import Dataset, write_table
from hemocast.dataset.pseudonym import known_key, participant_id
from hemocast.errors import ConfigError
from hemocast.simulate.epidemiology.patients import Patient
from hemocast.simulate.workers import open_workers
from hemocast.simulate.write import tables
from hemocast.simulate.write.study import write_patient, write_whole

BATCH_BYTES = 1e9
"""DICOM files that lie on the disk at once, about: one batch is rendered, then taken in."""

HEAD_MM = 180.0
"""Height of what is scanned, with margins, mm: for the size of a scan's files."""


def cohort_key(seed: int) -> bytes:
    """Return the secret of a simulated cohort's pseudonyms."""
    return known_key(f"simulate {seed}")


def write_dataset(
    config: SimulateConfig,
    patients: Sequence[Patient],
    out: Path,
    workers: int,
    progress: Callable[[int, int], None],
) -> dict[str, str]:
    """Write whatever is missing of a cohort as a dataset, then its tables.

    Scans with the bleed stay outside, as DICOM in ``bleeds``: who wants them in ingests them.

    Returns
    -------
    dict
        patient_id -> pseudonym.

    Raises
    ------
    ConfigError
        A simulated study is refused when it is taken in.
    """
    dataset, key = Dataset(out / "dataset"), cohort_key(config.seed)
    names = {p.patient_id: participant_id(key, p.patient_id) for p in patients}
    key_file = out / "dataset.key"
    write_whole(key_file, f"{key.hex()}\n".encode(), out / "unfinished")
    key_file.chmod(0o600)
    remove_partial(dataset)
    dicom, taken = out / "unfinished" / "dicom", out / "unfinished" / "taken"
    shutil.rmtree(taken, ignore_errors=True)
    total = sum(p.n_scans + len(p.scans) for p in patients)
    done = 0
    with open_workers(workers) as each:
        for batch in _batches(patients):
            there = _complete(dataset, batch, names, out)
            missing = [p for p in batch if p.patient_id not in there]
            done += sum(p.n_scans + len(p.scans) for p in batch if p.patient_id in there)
            progress(done, total)
            for count in each(partial(write_patient, config, out=out, dicom=dicom), missing):
                done += count
                progress(done, total)
            if missing:
                move = partial(_move, progress, done, total)
                report = ingest([dicom], dataset.root, key, workers=workers, progress=move)
                _refuse(report)
                dicom.rename(taken)  # at once: what is half removed would be taken for a bad study
                shutil.rmtree(taken)
                done += sum(len(p.scans) for p in missing)
    _write_tables(config, patients, dataset, names)
    return names


def _refuse(report: IngestReport) -> None:
    """Stop at a study that did not enter: later sessions would be numbered unlike the truth's."""
    if report.refused:
        raise ConfigError(
            f"The dataset refused {len(report.refused)} of the simulated studies, the first "
            f"with {report.refused[0].code}",
            "settings under which every simulated scan can be taken in",
            "See dataset/quality/refused.tsv in the output folder, change the settings, and "
            "simulate into a new folder",
        )


def _move(
    progress: Callable[[int, int], None], before: int, total: int, done: int, _total: int
) -> None:
    """Tell the progress of one step as that of the whole."""
    progress(before + done, total)


def _batches(patients: Sequence[Patient]) -> Iterator[Sequence[Patient]]:
    """Yield the cohort in parts that depend on the plan alone, so that runs agree."""
    batch: list[Patient] = []
    size = 0.0
    for patient in patients:
        batch.append(patient)
        for scan in patient.scans:
            size += 2 * scan.protocol.matrix**2 * HEAD_MM / scan.protocol.slice_mm
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0.0
    if batch:
        yield batch


def _complete(
    dataset: Dataset, batch: Sequence[Patient], names: Mapping[str, str], out: Path
) -> set[str]:
    """Return the patients all of whose scans are there."""
    found = set()
    for patient in batch:
        scans = dataset.root.glob(f"{names[patient.patient_id]}/ses-*/ct/*_ct.json")
        bled = patient.bleed is None or (out / "bleeds" / patient.bleed.folder).exists()
        if bled and len(list(scans)) == len(patient.scans):
            found.add(patient.patient_id)
    return found


def _write_tables(
    config: SimulateConfig,
    patients: Sequence[Patient],
    dataset: Dataset,
    names: Mapping[str, str],
) -> None:
    """Fill the dataset's tables, its participants in the order in which ingest put them."""
    by_name = {names[p.patient_id]: p for p in patients}
    people = dataset.table("participants")
    order = [name for name in people["participant_id"] if name in by_name]
    columns = ["participant_id", "age", "sex"]
    rows = [
        {**dict(zip(columns, row, strict=True)), "site": by_name[row[0]].site}
        for row in people[columns].itertuples(index=False)
    ]
    write_table(dataset.root / "participants.tsv", rows, [*columns, "site"])
    write_patient_tables(config, [(name, by_name[name]) for name in order], dataset.root)


def write_patient_tables(
    config: SimulateConfig, named: Sequence[tuple[str, Patient]], root: Path
) -> None:
    """Write ``labels.tsv``, ``clinical.tsv`` and ``reviews.tsv`` of a dataset.

    Parameters
    ----------
    config : SimulateConfig
        The cohort's.
    named : sequence of (str, Patient)
        participant_id and patient.
    root : Path
        The dataset's folder.
    """
    labels: list[tables.Row] = []
    clinical, reviews = list(labels), list(labels)
    for name, patient in named:
        person: tables.Row = {"participant_id": name}
        labels.append(person | {"label": patient.label} | tables.follow_up_row(patient))
        clinical.append(person | tables.clinical_row(patient))
        reviews += [person | row for row in tables.review_rows(config, patient)]
    key = "participant_id"
    write_table(root / "labels.tsv", labels, [key, "label", *tables.FOLLOW_UP])
    write_table(root / "clinical.tsv", clinical, [key, *tables.CLINICAL])
    write_table(root / "reviews.tsv", reviews, [key, *tables.REVIEWS])

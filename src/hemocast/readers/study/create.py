"""Making a study: which scans become cases, their pictures, and the design, never over another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hemocast.config import Settings
from hemocast.dataset.layout import Dataset
from hemocast.dataset.split.saved import find_split, read_parts
from hemocast.dataset.stacks import ScanFile, scans_of
from hemocast.errors import HemocastError, OutputExists, TableError, TooFewPatients
from hemocast.files import check_space, claim, remove_temporary
from hemocast.readers.study.aid import ModelResults, read_results
from hemocast.readers.study.design import Case, StudyDesign, choose_repeats, make_design
from hemocast.readers.study.folder import DESIGN, design_in, is_study, open_store, study_folder
from hemocast.readers.study.images import ImageFolder
from hemocast.tables import MISSING

if TYPE_CHECKING:
    import pandas as pd

KIND = "reader study"
"""Of a study's folder; see `files.claim`."""

_CASE_BYTES = 6_000_000


class StudyPlan(Settings):
    """What a study is made from.

    Parameters
    ----------
    readers : tuple of str
    split : str or None
        The test part of ``splits/NAME.tsv``; None: every patient with a label.
    repeats : float
        Share of the cases read twice in every arm.
    seed, horizon_days, washout_days
        As in `StudyDesign`.
    """

    readers: tuple[str, ...] = ("R1", "R2", "R3")
    split: str | None = None
    repeats: float = 0.1
    seed: int = 0
    horizon_days: int = 14
    washout_days: float = 28


@dataclass(frozen=True)
class CreatedStudy:
    """A study that was made.

    Parameters
    ----------
    design : StudyDesign
    left_out : tuple of str
        For every scan that cannot be read, why; names no patient.
    """

    design: StudyDesign
    left_out: tuple[str, ...]


def create_study(
    dataset: Dataset,
    name: str,
    plan: StudyPlan,
    *,
    model: Path | None = None,
    database: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CreatedStudy:
    """Choose cases, make their pictures, and write ``study.yaml``.

    A run that was stopped is finished by the same call; a study that is there already stays as it
    is, with missing pictures made again.

    Parameters
    ----------
    dataset : Dataset
    name : str
        The study's.
    plan : StudyPlan
    model : Path, optional
        Results of a model: the study then has an aided arm.
    database : str, optional
        Where its answers go, if not beside ``study.yaml``.
    progress : callable, optional
        Called with (done, total).

    Raises
    ------
    OutputExists
        The folder is not a study's, or the study has another design.
    InUse
        The study is being made, or a reading room is open over it.
    TooFewPatients
        No scan is left to be read.
    ConfigError, NothingThere, DatasetError, StoreError, NoSpace, NotWritable
        The plan, the dataset, the model's results, the database or the disk are not what they
        should be.
    """
    dataset.refuse_foreign()
    folder = study_folder(dataset, name)
    scans = choose_scans(dataset, plan.split)
    results = read_results(model, [scan.scan_id for scan in scans]) if model else None
    planned = _design(dataset, name, plan, scans)  # of all that may be cases: refuses bad settings
    check_space(dataset.root, len(scans) * _CASE_BYTES)
    with claim(folder, KIND, also=is_study(folder)) as output:
        made = design_in(folder)
        if made:
            # Before pictures are made: a refused call changes nothing.
            alike = planned.model_copy(update={"cases": made.cases})
            _refuse_another(made, _with_model(alike, results), but_for=("repeats", "repeat_gap"))
        open_store(folder, name, database).close()
        images = ImageFolder(dataset, folder)
        remove_temporary(images.folder)
        kept, left_out = _make_pictures(images, scans, results, renew=not made, progress=progress)
        design = _with_model(_design(dataset, name, plan, kept), results)
        if made:
            _refuse_another(made, design)
        else:
            text = yaml.safe_dump(design.model_dump(mode="json"), sort_keys=False)
            output.write_text(DESIGN, text)
    return CreatedStudy(design, left_out)


def choose_scans(dataset: Dataset, split: str | None) -> list[ScanFile]:
    """Take the first scan of every patient to be read about, in the order of their names.

    Where ``hemocast cohort`` has chosen scans (``cohort/scans.tsv``), only those. A scan that the
    table says shows blood is not taken, nor a later one of the same patient.

    Raises
    ------
    NothingThere, TableError
        A table is missing or not what it should be.
    TooFewPatients
        No scan is left.
    """
    people = set(dataset.labels())
    table = _scans_table(dataset)
    if split is not None:
        people &= set(read_parts(find_split(dataset.root, split)).get("test", ()))
    if (dataset.root / "cohort" / "scans.tsv").is_file():
        chosen = _scans_table(Dataset(dataset.root / "cohort"))
        table = table[table["scan_id"].isin(chosen["scan_id"])]
    # Sessions are numbered in the order of their times, which may not be known.
    first = table.sort_values("scan_id").drop_duplicates("participant_id")
    if "blood" in first:
        first = first[first["blood"].replace(MISSING, "0") != "1"]
    wanted = set(first[first["participant_id"].isin(people)]["scan_id"])
    scans = [scan for scan in scans_of(dataset) if scan.scan_id in wanted]
    if not scans:
        raise _nobody("The dataset has no scan for readers")
    return scans


def _scans_table(dataset: Dataset) -> pd.DataFrame:
    table = dataset.table("scans")
    if not {"participant_id", "scan_id"} <= set(table):
        raise TableError(
            "scans.tsv lacks a column",
            "columns participant_id and scan_id",
            "Restore scans.tsv, or ingest the scans again",
        )
    return table


def _make_pictures(
    images: ImageFolder,
    scans: Sequence[ScanFile],
    results: ModelResults | None,
    *,
    renew: bool,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[ScanFile], tuple[str, ...]]:
    """Make what is missing; a refusal costs its case. Heatmaps of an unfinished run are renewed."""
    kept: list[ScanFile] = []
    left_out: list[str] = []
    for done, scan in enumerate(scans, start=1):
        try:
            heatmap = results.heatmap(scan.scan_id) if results else None
            images.make(scan, heatmap, renew=renew)
            kept.append(scan)
        except HemocastError as error:
            if error.exit_code != TooFewPatients.exit_code:
                raise  # a full disk, say, is no fault of the scan
            left_out.append(f"{error.code} {error.seen}")
        if progress:
            progress(done, len(scans))
    if not kept:
        raise _nobody(f"None of {len(scans)} scan(s) can be read: {left_out[0]}")
    return kept, tuple(left_out)


def _design(dataset: Dataset, name: str, plan: StudyPlan, scans: Sequence[ScanFile]) -> StudyDesign:
    """Make the design without a model."""
    cases = tuple(Case(participant_id=s.participant_id, scan_id=s.scan_id) for s in scans)
    repeats = choose_repeats(cases, plan.repeats, plan.seed)
    return make_design(
        name=name,
        simulated=dataset.is_simulated(),
        cases=cases,
        repeats=repeats,
        # Half of the cases in between, as far as so many repeats leave room.
        repeat_gap=max(1, min(len(cases) // 2, len(cases) - len(repeats) + 1)),
        **plan.model_dump(include={"readers", "seed", "horizon_days", "washout_days"}),
    )


def _with_model(design: StudyDesign, results: ModelResults | None) -> StudyDesign:
    if results is None:
        return design
    aid = results.aid([case.scan_id for case in design.cases], simulated=design.simulated)
    return design.model_copy(update={"model": aid})


def _refuse_another(made: StudyDesign, wanted: StudyDesign, but_for: Sequence[str] = ()) -> None:
    settings = [name for name in StudyDesign.model_fields if name not in but_for]
    other = [name for name in settings if getattr(made, name) != getattr(wanted, name)]
    if other:
        raise OutputExists(
            f"A study of this name is there, with another design ({', '.join(other)})",
            "the design that it was made with, or a name that is free",
            "Choose another --study; a study that nobody has read in may be moved away",
        )


def _nobody(seen: str) -> TooFewPatients:
    return TooFewPatients(
        seen,
        "first scans, free of blood, of patients with a label",
        "Check labels.tsv, scans.tsv and the split",
    )

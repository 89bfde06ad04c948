"""A study's folder: making it, opening it, and keeping it as it was made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hemocast.config import Settings
from hemocast.dataset.layout import Dataset
from hemocast.dataset.split.saved import find_split, read_parts
from hemocast.dataset.stacks import ScanFile, scans_of
from hemocast.errors import (
    ConfigError,
    ContentError,
    InputError,
    NothingThere,
    OutputExists,
    SeriesError,
    StoreError,
    TableError,
    TooFewPatients,
)
from hemocast.files import check_space, claim, locked, remove_temporary, writing
from hemocast.readers.store.answers import Store, sqlite_url
from hemocast.readers.study.aid import ModelResults, read_results
from hemocast.readers.study.design import (
    NAME,
    Case,
    ModelAid,
    StudyDesign,
    choose_repeats,
    load_design,
    make_design,
)
from hemocast.readers.study.images import ImageFolder
from hemocast.tables import MISSING

if TYPE_CHECKING:
    import pandas as pd

KIND = "reader study"
"""Of a study's folder; see `files.claim`."""

DESIGN, ANSWERS = "study.yaml", "answers.sqlite"
_DERIVED = Path("derivatives") / "hemocast"
_CASE_BYTES = 6_000_000
_CHOSEN = {"cases", "repeats", "repeat_gap"}
"""Settings of a design that depend on which scans can be read."""


class StudyPlan(Settings):
    """What a study is made from.

    Parameters
    ----------
    readers : tuple of str
    split : str or None
        The test part of this split (a name, or a table); None: every patient with a label.
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
class Study:
    """An open study.

    Parameters
    ----------
    design : StudyDesign
    store : Store
    images : ImageFolder
    scans : dict
        scan_id -> NIfTI file.
    """

    design: StudyDesign
    store: Store
    images: ImageFolder
    scans: dict[str, Path]

    def close(self) -> None:
        """Close the connections to the answers."""
        self.store.close()


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


def study_folder(dataset: Dataset, name: str) -> Path:
    """Where a study lies in its dataset.

    Raises
    ------
    ConfigError
        The name is no plain name.
    """
    if not re.fullmatch(NAME, name):
        raise ConfigError(
            "The study's name is no plain name",
            "1 to 40 letters, digits, _ and -",
            "Choose another --study",
        )
    return dataset.root / _DERIVED / "readers" / name


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
    ConfigError, NothingThere, TableError, StoreError, NoSpace, NotWritable
        The plan, the split, the model's results, the database or the disk are not what they should
        be.
    """
    folder = study_folder(dataset, name)
    scans = choose_scans(dataset, plan.split)
    results = read_results(model, [scan.scan_id for scan in scans]) if model else None
    # Every setting is checked now, on all the scans that may become cases.
    planned = _design(dataset, name, plan, scans)
    check_space(dataset.root, len(scans) * _CASE_BYTES)
    made = _design_in(folder)
    with claim(folder, KIND, also=made is not None or _is_unfinished(folder)) as output:
        made = _design_in(folder)  # as it is now that nobody else can change it
        if made:
            # Before pictures are made: a refused call changes nothing.
            aid = _aid(results, made.cases, planned)
            _refuse_another(made, planned.model_copy(update={"model": aid}), but_for=_CHOSEN)
        _open_store(folder, name, database).close()
        images = ImageFolder(folder, dataset.root / _DERIVED / "stacks")
        remove_temporary(images.folder)
        kept, left_out = _make_pictures(images, scans, results, renew=not made, progress=progress)
        design = _design(dataset, name, plan, kept)
        design = make_design(**dict(design) | {"model": _aid(results, design.cases, design)})
        if made:
            _refuse_another(made, design)
        else:
            text = yaml.safe_dump(design.model_dump(mode="json"), sort_keys=False)
            output.write_text(DESIGN, text)
    return CreatedStudy(design, left_out)


def open_study(dataset: Dataset, name: str, *, database: str | None = None) -> Study:
    """Open a study to read in it or to export it.

    Raises
    ------
    NothingThere
        There is no such study, or a scan or picture of it is gone.
    ConfigError, StoreError
        ``study.yaml`` or the database cannot be read.
    OutputExists
        The design was changed after somebody had read.
    """
    folder = study_folder(dataset, name)
    design = _need_design(folder)
    images = ImageFolder(folder, dataset.root / _DERIVED / "stacks")
    scans = {scan.scan_id: scan.path for scan in scans_of(dataset)}
    heat = design.model is not None and design.model.heatmaps
    gone = [
        case.scan_id
        for case in design.cases
        if case.scan_id not in scans or not images.has(case.scan_id, heat=heat)
    ]
    if gone:
        raise NothingThere(
            f"{len(gone)} of {len(design.cases)} case(s) of the study are gone",
            "the dataset and the study's pictures as the study was made",
            "Restore them; lost pictures are made again by the same 'hemocast readers create'",
        )
    store = _open_store(folder, design.name, database)
    if store.design_hashes() - {design.hash()}:
        store.close()
        raise OutputExists(
            "study.yaml is not the one under which readers have answered",
            "a design that stays as it is once a reading exists",
            "Restore study.yaml, or make a new study",
        )
    return Study(design, store, images, scans)


@contextmanager
def held_study(dataset: Dataset, name: str, *, database: str | None = None) -> Iterator[Study]:
    """Open a study for a reading room: until it closes, no other room opens and none is made.

    Raises
    ------
    InUse
        Another reading room is open, or the study is being made.
    NothingThere, ConfigError, StoreError, OutputExists
        As `open_study` does.
    """
    folder = study_folder(dataset, name)
    _need_design(folder)  # nothing is written, not even a lock, where no study is
    with (
        locked(folder, "a reading room"),
        closing(open_study(dataset, name, database=database)) as study,
    ):
        yield study


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
        heatmap = results.heatmap(scan.scan_id) if results else None
        try:
            images.make(scan, heatmap, renew=renew)
            kept.append(scan)
        except (InputError, SeriesError, ContentError) as error:
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


def _aid(
    results: ModelResults | None, cases: Sequence[Case], design: StudyDesign
) -> ModelAid | None:
    if results is None:
        return None
    return results.aid([case.scan_id for case in cases], simulated=design.simulated)


def _design_in(folder: Path) -> StudyDesign | None:
    path = folder / DESIGN
    return load_design(path) if path.is_file() else None


def _need_design(folder: Path) -> StudyDesign:
    design = _design_in(folder)
    if design is None:
        raise NothingThere(
            "The dataset has no such study",
            "a study made by 'hemocast readers create'",
            "Check --study, or make it",
        )
    return design


def _is_unfinished(folder: Path) -> bool:
    """Pictures and nothing else: an earlier version, stopped before it wrote the design."""
    if not folder.is_dir() or [path.name for path in folder.iterdir()] != ["images"]:
        return False
    return ImageFolder(folder, folder).holds_pictures_alone()


def _refuse_another(
    made: StudyDesign, wanted: StudyDesign, but_for: Set[str] = frozenset()
) -> None:
    other = [
        name
        for name in StudyDesign.model_fields
        if name not in but_for and getattr(made, name) != getattr(wanted, name)
    ]
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


def _open_store(folder: Path, name: str, database: str | None) -> Store:
    if database:
        return Store(database, name)
    path = folder / ANSWERS
    if not path.exists():
        # For its owner alone: links, cookies and the cases' addresses are signed with its secret.
        with writing():
            path.touch(mode=0o600)
    elif not path.stat().st_size:
        raise StoreError(
            f"{ANSWERS} is empty: what it held is gone",
            "the file as the reading room wrote it",
            "Restore it from a copy; remove it only if nobody has read",
        )
    return Store(sqlite_url(path), name)

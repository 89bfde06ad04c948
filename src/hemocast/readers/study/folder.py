"""A study's folder: making it, opening it, and keeping it as it was once a reading exists."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from hemocast.config import Settings
from hemocast.dataset.layout import Dataset, write_text
from hemocast.dataset.split.saved import find_split, read_parts
from hemocast.dataset.stacks import ScanFile, scans_of
from hemocast.errors import ConfigError, HemocastError, NothingThere, OutputExists, TooFewPatients
from hemocast.readers.store.answers import Store, sqlite_url
from hemocast.readers.study.aid import heatmap_in, read_results
from hemocast.readers.study.design import (
    NAME,
    Case,
    StudyDesign,
    choose_repeats,
    load_design,
    make_design,
)
from hemocast.readers.study.images import ImageFolder, why_not
from hemocast.tables import MISSING

DESIGN, ANSWERS = "study.yaml", "answers.sqlite"
STACKS = Path("derivatives") / "hemocast" / "stacks"


class Plan(Settings):
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


@dataclass(frozen=True)
class Made:
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
    return dataset.root / "derivatives" / "hemocast" / "readers" / name


def create_study(
    dataset: Dataset,
    name: str,
    plan: Plan,
    *,
    model: Path | None = None,
    database: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Made:
    """Choose cases, make their pictures, and write ``study.yaml``.

    Parameters
    ----------
    dataset : Dataset
    name : str
        The study's.
    plan : Plan
    model : Path, optional
        Results of a model: the study then has an aided arm.
    database : str, optional
        Where its answers go, if not beside ``study.yaml``.
    progress : callable, optional
        Called with (done, total).

    Raises
    ------
    OutputExists
        Somebody has read in this study: its design is frozen.
    TooFewPatients
        No scan is left to be read.
    ConfigError, NothingThere, TableError
        The plan, the split or the model's results are not what they should be.
    """
    folder = study_folder(dataset, name)
    _refuse_if_read(folder, name, database)
    files = choose_scans(dataset, plan.split)
    images = ImageFolder(folder, dataset.root / STACKS)
    refusals: list[str] = []
    kept: list[ScanFile] = []
    for done, scan in enumerate(files, start=1):
        try:
            images.make(scan.scan_id, scan.path, heatmap_in(model, scan.scan_id))
            kept.append(scan)
        except HemocastError as error:
            refusals.append(why_not(error))
        if progress:
            progress(done, len(files))
    if not kept:
        raise TooFewPatients(
            f"None of {len(files)} scan(s) can be read{': ' + refusals[0] if refusals else ''}",
            "first scans, free of blood, of patients with a label",
            "Check labels.tsv, scans.tsv and the split",
        )
    cases = tuple(Case(participant_id=s.participant_id, scan_id=s.scan_id) for s in kept)
    aid = read_results(model, cases, simulated=dataset.is_simulated()) if model else None
    repeats = choose_repeats(cases, plan.repeats, plan.seed)
    design = make_design(
        name=name,
        simulated=dataset.is_simulated(),
        seed=plan.seed,
        horizon_days=plan.horizon_days,
        readers=plan.readers,
        cases=[case.model_dump() for case in cases],
        repeats=repeats,
        # Half of the cases in between, as far as so many repeats leave room.
        repeat_gap=max(1, min(len(cases) // 2, len(cases) - len(repeats) + 1)),
        model=aid.model_dump() if aid else None,
        washout_days=plan.washout_days,
    )
    text = yaml.safe_dump(design.model_dump(mode="json"), sort_keys=False)
    write_text(folder / DESIGN, text)
    return Made(design, tuple(refusals))


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
    if not (folder / DESIGN).is_file():
        raise NothingThere(
            "The dataset has no such study",
            "a study made by 'hemocast readers create'",
            "Check --study, or make it",
        )
    design = load_design(folder / DESIGN)
    images = ImageFolder(folder, dataset.root / STACKS)
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
            "Restore them; without readings, make the study again",
        )
    store = _open_store(folder, name, database)
    if store.design_hashes() - {design.hash()}:
        raise OutputExists(
            "study.yaml is not the one under which readers have answered",
            "a design that stays as it is once a reading exists",
            "Restore study.yaml, or make a new study",
        )
    return Study(design, store, images, scans)


def choose_scans(dataset: Dataset, split: str | None) -> list[ScanFile]:
    """Take the first scan of every patient to be read about, in the order of their names.

    Where ``hemocast cohort`` has chosen scans (``cohort/scans.tsv``), only those. A scan that the
    table says shows blood is not taken, nor a later one of the same patient.
    """
    people = set(dataset.labels())
    if split is not None:
        people &= set(read_parts(find_split(dataset.root, split)).get("test", ()))
    table = dataset.table("scans")
    if (dataset.root / "cohort" / "scans.tsv").is_file():
        chosen = Dataset(dataset.root / "cohort").table("scans")["scan_id"]
        table = table[table["scan_id"].isin(chosen)]
    # Sessions are numbered in the order of their times, which may not be known.
    first = table.sort_values("scan_id").drop_duplicates("participant_id")
    if "blood" in first:
        first = first[first["blood"].replace(MISSING, "0") != "1"]
    wanted = set(first[first["participant_id"].isin(people)]["scan_id"])
    return [scan for scan in scans_of(dataset) if scan.scan_id in wanted]


def _refuse_if_read(folder: Path, name: str, database: str | None) -> None:
    if not (folder / DESIGN).is_file():
        return
    store = _open_store(folder, name, database)
    read = bool(store.design_hashes())
    store.close()
    if read:
        raise OutputExists(
            "Somebody has already read in this study",
            "a new study, or one without readings",
            "Choose another --study",
        )


def _open_store(folder: Path, name: str, database: str | None) -> Store:
    if database:
        return Store(database, name)
    path = folder / ANSWERS
    path.touch(mode=0o600)  # holds what the links' signatures are made from
    return Store(sqlite_url(path), name)

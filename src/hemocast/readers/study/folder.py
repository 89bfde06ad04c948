"""A study's folder: opening it, holding it, and telling it from anybody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hemocast.dataset.layout import Dataset
from hemocast.dataset.stacks import scans_of
from hemocast.errors import ConfigError, NothingThere, OutputExists, StoreError
from hemocast.files import locked, writing
from hemocast.readers.store.answers import Store
from hemocast.readers.store.engine import sqlite_url
from hemocast.readers.study.design import NAME, StudyDesign, load_design
from hemocast.readers.study.images import PICTURE_NAME, ImageFolder

DESIGN, ANSWERS = "study.yaml", "answers.sqlite"


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
    images = ImageFolder(dataset, folder)
    scans = {scan.scan_id: scan.path for scan in scans_of(dataset)}
    heat = design.model is not None and design.model.heatmaps
    shown = [images.has(case.scan_id, heat=heat) for case in design.cases if case.scan_id in scans]
    if gone := len(design.cases) - sum(shown):
        raise NothingThere(
            f"{gone} of {len(design.cases)} case(s) of the study are gone",
            "the dataset and the study's pictures as the study was made",
            "Restore them; lost pictures are made again by the same 'hemocast readers create'",
        )
    store = open_store(folder, design.name, database)
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


def open_store(folder: Path, name: str, database: str | None) -> Store:
    """Open the answers of a study, in its folder unless another database is named.

    Raises
    ------
    StoreError
        The database refuses, or the file has lost what it held.
    """
    if database:
        return Store(database, name)
    path = folder / ANSWERS
    if path.exists() and not path.stat().st_size:
        raise StoreError(
            f"{ANSWERS} is empty: what it held is gone",
            "the file as the reading room wrote it",
            "Restore it from a copy; remove it only if nobody has read",
        )
    # For its owner alone: links, cookies and the cases' addresses are signed with its secret.
    with writing():
        path.touch(mode=0o600)
    return Store(sqlite_url(path), name)


def design_in(folder: Path) -> StudyDesign | None:
    """Read the design in a folder, if there is one; `load_design` says what is refused."""
    path = folder / DESIGN
    return load_design(path) if path.is_file() else None


def is_study(folder: Path) -> bool:
    """Tell a study, or pictures alone: a version before was stopped before it wrote the design."""
    if design_in(folder):
        return True
    images = folder / "images"
    alone = folder.is_dir() and list(folder.iterdir()) == [images] and images.is_dir()
    return alone and all(PICTURE_NAME.fullmatch(path.name) for path in images.iterdir())


def _need_design(folder: Path) -> StudyDesign:
    design = design_in(folder)
    if design is None:
        raise NothingThere(
            "The dataset has no such study",
            "a study made by 'hemocast readers create'",
            "Check --study, or make it",
        )
    return design

"""A folder of anything -> the head scans in it, from headers alone."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from hemocast.dicom.header.images import DamagedHeader, Image, NotADicomFile, read_images, whose
from hemocast.errors import HemocastError, NotDicom, NothingThere, TruncatedFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Series:
    """The images of one stack: one orientation, grid, kernel and type of one DICOM series.

    Parameters
    ----------
    images : tuple of Image
        In order of instance number and name; never empty.
    """

    images: tuple[Image, ...]

    @property
    def first(self) -> Image:
        """The image whose header speaks for all."""
        return self.images[0]

    @property
    def scan_uid(self) -> str:
        """Name by a hash of the UIDs: the same on every machine, and not an identifier."""
        uids = f"{self.first.study_uid}\x1f{self.first.series_uid}"
        return hashlib.sha256(uids.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Scan:
    """One study's plain axial head series.

    Parameters
    ----------
    patient_id : str
        PatientID as it stands in the files: protected health information.
    study_uid : str
        StudyInstanceUID, protected too.
    acquired : datetime or None
        When, as far as the header says.
    series : Series
        What `read_series` reads.
    left_out : tuple of str
        What else lay in the study and why it was not chosen; words free of identifiers.
    patient : str
        Key that tells patients apart even where PatientID is empty; protected.
    reasons : tuple of str
        Why this series was chosen.
    age : int or None
        Years, where the header says it in years.
    sex : str
        ``"M"``, ``"F"``, ``"O"`` or empty.
    """

    patient_id: str
    study_uid: str
    acquired: datetime | None
    series: Series
    left_out: tuple[str, ...]
    patient: str = ""
    reasons: tuple[str, ...] = ()
    age: int | None = None
    sex: str = ""

    @property
    def whose(self) -> str:
        """What a pseudonym is made from; protected."""
        return whose(self.patient_id, self.patient, self.study_uid)


@dataclass(frozen=True)
class Refusal:
    """A study without a series to use.

    Parameters
    ----------
    patient_id, study_uid, patient : str
        As in `Scan`.
    error : HemocastError
        Why, with its code.
    left_out : tuple of str
        Why not, for each of its series.
    """

    patient_id: str
    study_uid: str
    error: HemocastError
    left_out: tuple[str, ...] = ()
    patient: str = ""

    @property
    def whose(self) -> str:
        """What a pseudonym is made from; protected."""
        return whose(self.patient_id, self.patient, self.study_uid)


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Parameters
    ----------
    scans : tuple of Scan
        One per study with a usable series.
    refused : tuple of Refusal
        One per study without.
    left_out : tuple of str
        Files that belong to no study, counted, in words.
    """

    scans: tuple[Scan, ...]
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def patients(self) -> int:
        """How many different patients there are, refused studies counted."""
        scans = {scan.patient for scan in self.scans}
        return len(scans | {refusal.patient for refusal in self.refused})


def find_scans(folder: Path) -> Found:
    """Find the plain axial head CT of every study below a folder.

    Reads headers only. Files need no extension and may lie in any order; what is not DICOM is left
    out and counted.

    Parameters
    ----------
    folder : Path
        A folder, searched to the bottom (links to folders are not followed), or one file.

    Raises
    ------
    NothingThere
        The path does not exist or holds no file.
    NotDicom
        No file there is DICOM.
    """
    from hemocast.dicom.series.select import choose

    images: list[Image] = []
    others = 0
    damaged: set[Path] = set()
    for path in _files(Path(folder)):
        try:
            images += read_images(path)
        except NotADicomFile:
            others += 1
        except DamagedHeader as error:
            logger.info("a DICOM header could not be read: %s", error)
            damaged.add(path)
        except OSError as error:
            logger.info("a file could not be opened: %s", type(error).__name__)
            others += 1
    if not images and damaged:
        raise _damaged_header()
    if not images and not others:
        raise NothingThere(
            "The folder is empty", "a folder with the files of a head CT", "Check the path"
        )
    if not images:
        raise NotDicom(
            f"None of the {others} file(s) there is DICOM",
            "the DICOM files of a head CT, or a NIfTI file",
            "Export the scan again as DICOM and give that folder",
        )
    left_out: tuple[str, ...] = ()
    if others:
        left_out += (f"{others} file(s) left out: not DICOM images",)
    if damaged:
        left_out += (f"{len(damaged)} file(s) left out: header damaged or cut off",)
    unsure = {path.parent for path in damaged}
    scans: list[Scan] = []
    refused: list[Refusal] = []
    for study in _studies(images):
        entry = choose([stack for series in _series(study) for stack in split_stacks(series)])
        if isinstance(entry, Scan) and unsure & {i.pixels.path.parent for i in entry.series.images}:
            entry = Refusal(
                entry.patient_id, entry.study_uid, _damaged_header(), entry.left_out, entry.patient
            )
        if isinstance(entry, Scan):
            scans.append(entry)
        else:
            refused.append(entry)
    return Found(tuple(scans), tuple(refused), left_out)


def _damaged_header() -> TruncatedFile:
    return TruncatedFile(
        "A DICOM file in the folder breaks off or is damaged in its header, so that nobody can say "
        "which series it belongs to",
        "whole DICOM files",
        "Export the scan again, or remove the file if it belongs to something else",
    )


def _files(root: Path) -> Iterator[Path]:
    """Every regular file below a folder, in an order that is the same everywhere."""
    if root.is_file():
        yield root
        return
    if not root.is_dir():
        raise NothingThere("The path does not exist", "a folder with a head CT", "Check the path")
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            # Opening a pipe or device would wait for ever.
            if path.is_file():
                yield path


def _studies(images: Iterable[Image]) -> list[list[Image]]:
    groups: dict[tuple[str, str], list[Image]] = defaultdict(list)
    for image in images:
        groups[image.patient, image.study_uid].append(image)
    return [groups[key] for key in sorted(groups)]


def _series(images: Iterable[Image]) -> list[list[Image]]:
    groups: dict[str, list[Image]] = defaultdict(list)
    for image in images:
        groups[image.series_uid].append(image)
    return [groups[key] for key in sorted(groups)]


def split_stacks(images: list[Image]) -> list[Series]:
    """Split one DICOM series into stacks that can each be one volume.

    Images differ in stack when they differ in image type (its first three values), kernel, contrast
    agent, grid or orientation. Acquisition numbers split a stack only where they explain why
    positions occur twice: a step-and-shoot scan has many in one good stack.

    Parameters
    ----------
    images : list of Image
        Of one series.
    """
    groups: dict[tuple[object, ...], list[Image]] = defaultdict(list)
    directions: list[np.ndarray] = []
    for image in images:
        key = (
            image.sop_class,
            image.image_type[:3],
            image.kernel,
            image.contrast,
            image.pixels.rows,
            image.pixels.columns,
            None if image.spacing is None else tuple(round(v, 3) for v in image.spacing),
            _direction(image, directions),
        )
        groups[key].append(image)
    stacks = []
    for group in groups.values():
        ordered = sorted(group, key=lambda i: (i.instance_number or 0, str(i.pixels.path)))
        stacks += [Series(tuple(part)) for part in _by_acquisition(ordered)]
    return stacks


def _direction(image: Image, known: list[np.ndarray]) -> int:
    """Number of the first orientation that is the same within half a degree."""
    if image.orientation is None:
        return -1
    vector = np.array(image.orientation)
    for index, other in enumerate(known):
        if np.abs(vector - other).max() < 0.01:
            return index
    known.append(vector)
    return len(known) - 1


def _by_acquisition(images: list[Image]) -> list[list[Image]]:
    """Split where every acquisition covers its positions once but together they repeat."""
    if not _repeats(images):
        return [images]
    groups: dict[int | None, list[Image]] = defaultdict(list)
    for image in images:
        groups[image.acquisition_number].append(image)
    parts = list(groups.values())
    if len(parts) < 2 or any(_repeats(part) or len(part) < 2 for part in parts):
        return [images]
    return parts


def _repeats(images: list[Image]) -> bool:
    places = {i.position and tuple(round(v, 2) for v in i.position) for i in images}
    return len(places) < len(images)

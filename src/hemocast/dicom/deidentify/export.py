"""CT files of any number of patients -> the same images under pseudonyms, naming nobody.

The policy is in `deidentify_policy`. A series is written whole or not at all: a damaged file costs
its series. A picture that may show text costs only itself, for it is no slice of the scan.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hemocast.dicom.deidentify.file import clean_file, digest
from hemocast.dicom.deidentify.header import Keyed
from hemocast.dicom.files.archive import open_path
from hemocast.dicom.header.images import DamagedHeader, NotADicomFile, read_images
from hemocast.errors import (
    BurnedIn,
    HemocastError,
    MalformedFile,
    NoCT,
    NotDicom,
    NothingThere,
    OutputExists,
    TruncatedFile,
    UsageError,
)

__all__ = ["Exported", "Keyed", "LeftBehind", "deidentify"]

Progress = Callable[[int, int], None]
UNKNOWN = "n/a"


@dataclass(frozen=True)
class LeftBehind:
    """Files that were not exported.

    Parameters
    ----------
    participant_id : str
        The patient's pseudonym, or ``n/a`` where the file does not say whose it is.
    error : HemocastError
        Why, with its code; free of identifiers.
    files : int
        How many.
    """

    participant_id: str
    error: HemocastError
    files: int = 1


@dataclass(frozen=True)
class Exported:
    """What became of all files.

    Parameters
    ----------
    written, already_there : int
        Files written by this run, and found as they would have been written.
    left_behind : tuple of LeftBehind
        DICOM files that were not exported, by patient and reason.
    other_files : int
        Files that are not DICOM images (DICOMDIR is among them): never copied.
    """

    written: int
    already_there: int
    left_behind: tuple[LeftBehind, ...]
    other_files: int


@dataclass(frozen=True)
class _Job:
    patient: str
    study_uid: str
    series_uid: str
    paths: tuple[Path, ...]


@dataclass
class _Outcome:
    written: int = 0
    already_there: int = 0
    left_behind: list[LeftBehind] = field(default_factory=list)


def deidentify(
    sources: Sequence[Path],
    out: Path,
    keyed: Keyed,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Exported:
    """Export every CT image in `sources` without anything that identifies a patient.

    Files go to ``OUT/<pseudonym>/study-.../series-.../<digest>.dcm``, named by digests of their new
    UIDs, under their own transfer syntax, their pixel values unchanged. A series that is there
    already, and the same, is left as it is.

    Parameters
    ----------
    sources : sequence of Path
        Folders, zips and files.
    out : Path
        The folder for the clean files; made where there is none.
    keyed : Keyed
        The key, and the pseudonyms and date shifts made from it.
    workers : int
        Processes.
    progress : callable, optional
        Called with (done, total) series.

    Returns
    -------
    Exported

    Raises
    ------
    UsageError
        `out` lies in a source, or a source in `out`.
    NothingThere, NotDicom
        There is no file, or none is DICOM.
    UnsafeArchive, MalformedFile, UnsupportedSyntax
        A zip cannot be unpacked; see `open_path`.
    """
    from joblib import Parallel, delayed

    _check_apart(sources, out)
    outcome = _Outcome()
    with ExitStack() as opened, _quiet():
        folders = [opened.enter_context(open_path(Path(source))) for source in sources]
        jobs, others = _plan(folders, outcome)
        results = Parallel(n_jobs=workers, return_as="generator_unordered")(
            delayed(_export_series)(job, out, keyed) for job in jobs
        )
        for done, result in enumerate(results, start=1):
            outcome.written += result.written
            outcome.already_there += result.already_there
            outcome.left_behind += result.left_behind
            if progress:
                progress(done, len(jobs))
    return Exported(outcome.written, outcome.already_there, _merged(outcome.left_behind), others)


def _merged(entries: list[LeftBehind]) -> tuple[LeftBehind, ...]:
    """One entry for each patient and reason, in an order that does not depend on the workers."""
    groups: dict[tuple[str, str], list[LeftBehind]] = defaultdict(list)
    for entry in entries:
        groups[entry.participant_id, str(entry.error)].append(entry)
    return tuple(
        LeftBehind(name, group[0].error, sum(entry.files for entry in group))
        for (name, _), group in sorted(groups.items())
    )


def _check_apart(sources: Sequence[Path], out: Path) -> None:
    target = out.resolve()
    for source in (Path(source).resolve() for source in sources):
        if target.is_relative_to(source) or source.is_relative_to(target):
            raise UsageError(
                "The clean files would lie among the files they are made from",
                "a folder apart from the sources",
                "Name another folder with --out",
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the parser, whose warnings and log lines quote the values of a header."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def _plan(folders: Sequence[Path], outcome: _Outcome) -> tuple[list[_Job], int]:
    """Group all files by series; what cannot be read goes to the outcome."""
    groups: dict[tuple[str, str, str], list[Path]] = defaultdict(list)
    others = damaged = 0
    for path in (path for folder in folders for path in _files(folder)):
        try:
            image = read_images(path)[0]
        except (NotADicomFile, IndexError, OSError):
            others += 1
        except DamagedHeader:
            damaged += 1
        else:
            groups[image.patient_key, image.study_uid, image.series_uid].append(path)
    if damaged:
        error = TruncatedFile(
            "A DICOM file breaks off or is damaged in its header",
            "whole DICOM files",
            "Export it again; the series it belongs to may lack it",
        )
        outcome.left_behind.append(LeftBehind(UNKNOWN, error, damaged))
    if not groups and not damaged and not others:
        raise NothingThere("There are no files", "DICOM files of CT scans", "Check the path")
    if not groups and not damaged:
        raise NotDicom(f"None of the {others} file(s) is DICOM", "DICOM files", "Check the path")
    return [_Job(*key, tuple(paths)) for key, paths in sorted(groups.items())], others


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _export_series(job: _Job, out: Path, keyed: Keyed) -> _Outcome:
    """Write one series whole, or nothing of it."""
    pseudonym = keyed.pseudonym(job.patient)
    study = f"study-{digest(keyed.uid(job.study_uid))}"
    folder = out / pseudonym / study / f"series-{digest(keyed.uid(job.series_uid))}"
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was stopped
    outcome = _Outcome()
    try:
        with _quiet():
            for path in job.paths:
                try:
                    name, content = clean_file(path, job.patient, keyed)
                except (BurnedIn, NoCT) as error:
                    outcome.left_behind.append(LeftBehind(pseudonym, error))
                    continue
                _add(partial / name, content)
        if partial.is_dir():
            _settle(partial, folder, outcome)
    except HemocastError as error:
        rest = len(job.paths) - len(outcome.left_behind)
        outcome.left_behind.append(LeftBehind(pseudonym, error, rest))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return outcome


def _add(path: Path, content: bytes) -> None:
    """Write a file of a series; a copy of one that is there is dropped."""
    if path.exists():
        if path.read_bytes() != content:
            raise MalformedFile(
                "Two different images of a series carry one SOPInstanceUID",
                "a UID of its own for every image",
                "Export the series again from the archive",
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _settle(partial: Path, folder: Path, outcome: _Outcome) -> None:
    """Give a whole series its place, or see that it is there already."""
    files = sorted(partial.iterdir())
    if not folder.exists():
        partial.replace(folder)
        outcome.written = len(files)
        return
    there = {path.name: path for path in folder.iterdir()}
    same = len(there) == len(files) and all(
        path.name in there and there[path.name].read_bytes() == path.read_bytes() for path in files
    )
    if not same:
        raise OutputExists(
            "The folder holds this series already, and not the same",
            "a new folder, or one that holds what this run would write",
            "Name another folder with --out, or remove the series",
        )
    outcome.already_there = len(files)

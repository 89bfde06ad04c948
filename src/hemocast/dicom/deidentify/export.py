"""CT files of any number of patients -> the same images under pseudonyms, naming nobody.

The policy is in `hemocast.dicom.deidentify.policy`. A series is written whole or not at all: a
damaged file costs its series, and so does text burned into its slices. A picture that may show text
costs only itself, for it is no slice of the scan.
"""

from __future__ import annotations

import logging
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from hemocast import files
from hemocast.dicom.deidentify import destination
from hemocast.dicom.deidentify.burned_in import Marks
from hemocast.dicom.deidentify.file import clean_file, digest
from hemocast.dicom.deidentify.header import Keyed
from hemocast.dicom.files.archive import open_path
from hemocast.dicom.files.walk import files_below
from hemocast.dicom.header.images import DamagedHeader, NotADicomFile, read_images
from hemocast.dicom.refusals import reading, unreadable
from hemocast.errors import (
    BurnedIn,
    HemocastError,
    MalformedFile,
    NoCT,
    NoSpace,
    NotDicom,
    NothingThere,
    NotWritable,
    OutputExists,
    TruncatedFile,
)
from hemocast.tables import MISSING

__all__ = ["Exported", "Keyed", "LeftBehind", "deidentify"]

Progress = Callable[[int, int], None]


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
        DICOM files that were not exported, and files and folders that could not be read, by
        patient and reason.
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

    def folder(self, out: Path, keyed: Keyed) -> Path:
        """Where the series goes."""
        study = f"study-{digest(keyed.uid(self.study_uid))}"
        series = f"series-{digest(keyed.uid(self.series_uid))}"
        return out / keyed.pseudonym(self.patient) / study / series


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
        The folder for the clean files: new, empty, or left by an earlier export under the same key.
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
        `out` lies in a source, or a source in `out`; or another key named the patients there.
    OutputExists, NotWritable, InUse, NoSpace
        `out` holds somebody's files, cannot be written to, is being written to, or is too small.
    NothingThere, NotDicom
        There is no file, or none is DICOM.
    UnsafeArchive, MalformedFile, UnsupportedSyntax
        A zip cannot be unpacked; see `open_path`.
    """
    from joblib import Parallel, delayed

    destination.check(sources, out)
    outcome = _Outcome()
    with ExitStack() as opened, _quiet():
        folders = [opened.enter_context(open_path(Path(source))) for source in sources]
        jobs, others = _plan(folders, outcome)
        patients = {job.patient for job in jobs}
        output = opened.enter_context(destination.claim(out, keyed, patients))
        files.check_space(out, _needed(jobs, out, keyed))
        results = Parallel(n_jobs=workers, return_as="generator_unordered")(
            delayed(_export_series)(job, out, keyed) for job in jobs
        )
        for done, result in enumerate(results, start=1):
            outcome.written += result.written
            outcome.already_there += result.already_there
            outcome.left_behind += result.left_behind
            if progress:
                progress(done, len(jobs))
        left_behind = _merged(outcome.left_behind)
        _write_left_behind(output, left_behind)
    return Exported(outcome.written, outcome.already_there, left_behind, others)


def _needed(jobs: Iterable[_Job], out: Path, keyed: Keyed) -> int:
    """Bytes that the series take which are not there yet: a clean file is about its original."""
    new = (job for job in jobs if not job.folder(out, keyed).exists())
    with reading():
        return sum(path.stat().st_size for job in new for path in job.paths)


def _write_left_behind(output: files.Output, left_behind: Sequence[LeftBehind]) -> None:
    rows = [
        {
            "participant_id": entry.participant_id,
            "files": entry.files,
            "code": entry.error.code,
            "reason": str(entry.error),
        }
        for entry in left_behind
    ]
    name = destination.LEFT_BEHIND
    if rows:
        output.write_table(name, rows, list(rows[0]))
    output.remove_others([destination.ABOUT, *([name] if rows else [])])


def _merged(entries: list[LeftBehind]) -> tuple[LeftBehind, ...]:
    """One entry for each patient and reason, in an order that does not depend on the workers."""
    groups: dict[tuple[str, str], list[LeftBehind]] = defaultdict(list)
    for entry in entries:
        groups[entry.participant_id, str(entry.error)].append(entry)
    return tuple(
        LeftBehind(name, group[0].error, sum(entry.files for entry in group))
        for (name, _), group in sorted(groups.items())
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
    unread: dict[Path, OSError] = {}
    for path in (path for folder in folders for path in files_below(folder, unread)):
        try:
            image = read_images(path)[0]
        except (NotADicomFile, IndexError):
            others += 1
        except OSError as reason:
            unread[path] = reason
        except DamagedHeader:
            damaged += 1
        else:
            groups[image.patient_key, image.study_uid, image.series_uid].append(path)
    if damaged:
        error = TruncatedFile(
            "A DICOM file is cut short or has a damaged header",
            "whole DICOM files",
            "Export it again; the series it belongs to may lack it",
        )
        outcome.left_behind.append(LeftBehind(MISSING, error, damaged))
    if unread:
        lost = unreadable(unread.values())
        outcome.left_behind.append(LeftBehind(MISSING, lost, len(unread)))
    if not groups and not damaged and not others and not unread:
        raise NothingThere("There are no files", "DICOM files of CT scans", "Check the path")
    if not groups and not damaged and not unread:
        raise NotDicom(f"None of the {others} file(s) is DICOM", "DICOM files", "Check the path")
    return [_Job(*key, tuple(paths)) for key, paths in sorted(groups.items())], others


def _export_series(job: _Job, out: Path, keyed: Keyed) -> _Outcome:
    """Write one series whole, or nothing of it."""
    folder = job.folder(out, keyed)
    outcome = _Outcome()
    clean = _clean_files(job, keyed, outcome)
    try:
        with _quiet():
            if folder.exists():
                outcome.already_there = _compare(clean, folder)
            elif (first := next(clean, None)) is not None:
                with files.new_folder(folder) as temporary:
                    for name, content in chain([first], clean):
                        _add(temporary / name, content)
                    written = len(list(temporary.iterdir()))
                outcome.written = written
    except (NoSpace, NotWritable):
        raise
    except HemocastError as error:
        rest = len(job.paths) - len(outcome.left_behind)
        outcome.left_behind.append(LeftBehind(keyed.pseudonym(job.patient), error, rest))
    return outcome


def _clean_files(job: _Job, keyed: Keyed, outcome: _Outcome) -> Iterator[tuple[str, bytes]]:
    """Give name and content of every file that may leave; in the end, refuse text burned in."""
    marks = Marks()
    for path in job.paths:
        try:
            clean = clean_file(path, job.patient, keyed)
        except (BurnedIn, NoCT) as error:
            outcome.left_behind.append(LeftBehind(keyed.pseudonym(job.patient), error))
        else:
            marks.add_file(read_images(path))
            yield clean
    marks.refuse()


def _add(path: Path, content: bytes) -> None:
    """Write a file of a series; a copy of one that is there is dropped."""
    if not path.exists():
        path.write_bytes(content)
    elif path.read_bytes() != content:
        raise MalformedFile(
            "Two different images of a series share one SOPInstanceUID",
            "a UID of its own for every image",
            "Export the series again from the archive",
        )


def _compare(clean: Iterable[tuple[str, bytes]], folder: Path) -> int:
    """Count the files of a series that is there already; refuse one that is not the same."""
    there = {path.name: path for path in folder.glob("*.dcm")}
    names = set()
    for name, content in clean:
        names.add(name)
        if name not in there or there[name].read_bytes() != content:
            break
    else:
        if names == set(there):
            return len(names)
    raise OutputExists(
        "The folder holds this series already, and not the same",
        "a new folder, or one that holds what this run would write",
        "Name another folder with --out, or remove the series",
    )

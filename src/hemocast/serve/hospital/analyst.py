"""A study's folder to results, in a process that may die without the service."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from hemocast.dataset.ingest.sources import Candidate, Gathered, gather
from hemocast.dataset.pseudonym import scan_name
from hemocast.dicom import Refusal
from hemocast.dicom.files.archive import Opened, open_named
from hemocast.dicom.read import mixed_patients
from hemocast.errors import HemocastError, NoMap, NoRecord, WorkerDied
from hemocast.onnx import usable_cpus
from hemocast.pipeline.predictions.folder import CaseResult
from hemocast.pipeline.scan_job import USUAL_PAGES, Pages, ScanJob, predict_scan
from hemocast.serve.hospital.objects import objects_of
from hemocast.serve.hospital.settings import AnalysisConfig

if TYPE_CHECKING:
    from hemocast.model import Model

_STUDIES_A_PROCESS = 200
"""After so many a new process begins, so that what libraries leave behind does not add up."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, repr=False)
class Finding:
    """What became of one scan of a study.

    Parameters
    ----------
    result : CaseResult
        As ``hemocast predict`` gives it.
    files : dict of str to bytes
        What it writes, by name.
    objects : dict of str to bytes
        DICOM objects that tell of it, by name.
    """

    result: CaseResult
    files: dict[str, bytes]
    objects: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Looked:
    """What the headers of a study say.

    Parameters
    ----------
    scans : int
        How many can be predicted.
    refusals : tuple of HemocastError
        Why others cannot.
    """

    scans: int
    refusals: tuple[HemocastError, ...] = ()


class Analyst(Protocol):
    """Looks at studies; what it raises may be tried again."""

    def look(self, folder: Path) -> Looked:
        """Read the headers of a study."""

    def predict(self, folder: Path, model: str, revision: int) -> tuple[Finding, ...]:
        """Predict a study's scans with the model in a folder; empty: with the usual one."""


def check_models(settings: AnalysisConfig) -> None:
    """Refuse models that could predict nothing here, before any study comes.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        As `hemocast.model.load` does.
    NoRecord, NoMap
        A model has to be told what no image says.
    """
    from hemocast.model import load

    folders = [settings.model, *(rule.model for rule in settings.rules)]
    for folder in dict.fromkeys(filter(None, folders)):
        model = load(folder)
        place = "analysis.model" if folder == settings.model else "analysis.rules"
        if model.needs_record:
            raise NoRecord(
                f"A model of {place} needs the clinical record of each patient",
                "a model that sees the scan alone: the service is told of no record",
                "Name another model",
            )
        if model.needs_map:
            raise NoMap(
                f"A model of {place} needs a co-registered map of each scan",
                "a model that sees the scan alone: the service is given no maps",
                "Name another model",
            )


class OtherProcess:
    """Analyses in processes of its own: what ends or hangs them costs an attempt of one study.

    Parameters
    ----------
    key : bytes
        Makes the scans' names.
    model : Path, optional
        The usual one.
    pages : Pages
        How pages are written.
    processes : int
        How many.
    time_limit_s : float
        For one study.
    """

    def __init__(
        self,
        key: bytes,
        *,
        model: Path | None = None,
        pages: Pages = USUAL_PAGES,
        processes: int = 1,
        time_limit_s: float = 600.0,
    ) -> None:
        self._given = key, "" if model is None else str(model), pages, processes
        self._time_limit_s = time_limit_s
        self._pool = self._open()

    def _open(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._given[-1],
            get_context("spawn"),
            _begin,
            self._given,
            max_tasks_per_child=_STUDIES_A_PROCESS,
        )

    def look(self, folder: Path) -> Looked:
        """See `Analyst.look`."""
        return self._wait(self._pool, self._pool.submit(look_at, folder))

    def predict(self, folder: Path, model: str, revision: int) -> tuple[Finding, ...]:
        """See `Analyst.predict`; raises `WorkerDied` where the process ended or took too long."""
        return self._wait(self._pool, self._pool.submit(_predict, folder, model, revision))

    def _wait(self, pool: ProcessPoolExecutor, begun: Future[Answer]) -> Answer:
        try:
            return begun.result(self._time_limit_s)
        except (BrokenProcessPool, TooLong) as error:
            self._renew(pool)
            raise WorkerDied(
                f"The process that analysed a study was ended ({type(error).__name__})",
                "a study that is done within jobs.time_limit_s and fits into memory",
                "It is tried again; if it fails for good, look at its images",
            ) from error

    def _renew(self, broken: ProcessPoolExecutor) -> None:
        """Begin with new processes; of several threads that find the old ones gone, one does."""
        if self._pool is broken:
            self._pool = self._open()
            _end(broken)

    def close(self) -> None:
        """End all processes."""
        _end(self._pool)


def _end(pool: ProcessPoolExecutor) -> None:
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, repr=False)
class _Bench:
    """What a process has at hand."""

    key: bytes
    usual: str
    pages: Pages
    threads: int

    def model(self, folder: str) -> Model:
        """Load a model once."""
        from hemocast.model import load, load_default

        folder = folder or self.usual
        if folder not in _MODELS:
            loaded = load(Path(folder)) if folder else load_default()
            _MODELS[folder] = replace(loaded, threads=self.threads)
        return _MODELS[folder]


_BENCH: list[_Bench] = []
_MODELS: dict[str, Model] = {}


def _begin(key: bytes, usual: str, pages: Pages, processes: int) -> None:
    # pydicom warns about odd tags with their values, which may identify a patient.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    _BENCH[:] = [_Bench(key, usual, pages, max(1, usable_cpus() // processes))]


def look_at(folder: Path) -> Looked:
    """Read a study's headers; see `Analyst.look`."""
    with open_named(folder) as opened:
        found = _gather(opened)
        return Looked(len(found.candidates), _refusals(found))


def _gather(opened: Opened) -> Gathered:
    try:
        found = gather(opened)
    except HemocastError as error:
        return Gathered(turned_away=(Refusal("", "", error),))
    if found.patients > 1:  # under one study's UID: nobody can say whose result it would be
        return Gathered(turned_away=(Refusal("", "", mixed_patients(found.patients)),))
    return found


def _refusals(found: Gathered) -> tuple[HemocastError, ...]:
    errors = [one.error for one in found.turned_away]
    return (*errors, *([found.unreadable] if found.unreadable else []))


def _predict(folder: Path, model: str, revision: int) -> tuple[Finding, ...]:
    bench = _BENCH[0]
    loaded = bench.model(model)
    with ExitStack() as kept:
        found = _gather(kept.enter_context(open_named(folder)))
        findings = [
            _finding(_job(number, one, bench), loaded, revision)
            for number, one in enumerate(found.candidates, start=1)
        ]
    refused = [CaseResult(0, "refused", error.code, str(error)) for error in _refusals(found)]
    return (*findings, *(Finding(one, {}) for one in refused))


def _finding(job: ScanJob, model: Model, revision: int) -> Finding:
    result, files = predict_scan(job, model)
    if result.status == "failed":
        return Finding(result, files)
    lang = job.pages.lang
    objects = objects_of(result, job.scan, model, files, revision=revision, lang=lang)
    return Finding(result, files, objects)


def _job(number: int, scan: Candidate, bench: _Bench) -> ScanJob:
    return ScanJob(
        number,
        scan.identity.person(bench.key),
        scan_name(bench.key, scan.identity.scan_uid),
        scan,
        None,
        bench.pages,
    )

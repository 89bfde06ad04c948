"""Paths in; for every scan a folder of results, and one table, out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hemocast.classical.record import ClinicalTables
from hemocast.dataset.ingest.sources import Candidate
from hemocast.dataset.maps import find_map
from hemocast.dataset.pseudonym import given_key
from hemocast.errors import (
    HemocastError,
    NoMap,
    NoRecord,
    NoSpace,
    NothingThere,
    NotWritable,
    UsageError,
    WorkerDied,
)
from hemocast.faults import internal_error
from hemocast.files import check_space
from hemocast.onnx import usable_cpus
from hemocast.pipeline.predictions.cases import Case, cases_of
from hemocast.pipeline.predictions.folder import CaseResult, PredictionsFolder
from hemocast.pipeline.predictions.names import scans_of
from hemocast.pipeline.predictions.scores import known_patients
from hemocast.pipeline.scan_job import USUAL_PAGES, Done, Pages, ScanJob, predict_scan

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from hemocast.classical.scores.patients import KnownPatients
    from hemocast.model import Model

__all__ = ["Case", "CaseResult", "cases_of", "predict_cases"]

_CASE_BYTES = 2_000_000
"""Of a scan's page, picture, map and record, about."""


@dataclass(frozen=True)
class Beside:
    """What is known of patients beside their scans.

    Parameters
    ----------
    clinical : Path, optional
        A table with ``participant_id`` (with the key, ``patient_id``), or a dataset's folder; see
        `hemocast.classical.record`.
    maps : Path, optional
        A folder with ``SCAN_ID_map.nii.gz`` for every scan, each on its scan's grid; or, of a
        single scan, the file.
    """

    clinical: Path | None = None
    maps: Path | None = None


NOTHING = Beside()


def predict_cases(
    cases: Sequence[Case],
    model: Model,
    out: Path,
    *,
    key: Path | bytes | None = None,
    beside: Beside = NOTHING,
    resume: bool = False,
    workers: int = 1,
    pages: Pages = USUAL_PAGES,
) -> Iterator[CaseResult]:
    """Predict every scan, writing into `out` in the order of the cases.

    A bad path costs that case alone. ``predictions.csv`` grows by a row after every scan, so that
    what is finished is not lost when the run is stopped, and by one more, ``all``, for a patient
    with several; ``linkage.csv``, for its owner only, says which path each scan came from. Earlier
    predictions of the same model stay there, and so does what users wrote.

    Parameters
    ----------
    cases : sequence of Case
        From `cases_of`.
    model : Model
        Predicts.
    out : Path
        The folder of results.
    key : Path or bytes, optional
        The project's key, or its file, which is made where there is none: scans get the names that
        ``hemocast ingest`` gives them under it, and a path may hold several patients. Without it a
        path holds one patient's scans, which are called by pseudonyms of this folder.
    beside : Beside
        What else is known of the patients, for a model that has to be told, and for the published
        scores.
    resume : bool
        Skip scans that this model has predicted there before.
    workers : int
        Processes that read and predict.
    pages : Pages
        How the pages are written.

    Yields
    ------
    CaseResult
        One for every scan, in the order of `cases`. Only the caller can keep it: here no more than
        its row of the table stays, so that memory does not grow with the number of scans.

    Raises
    ------
    OutputExists, NotWritable, InUse, UsageError
        As `PredictionsFolder.open` does, before the first scan is read.
    NoRecord, NoMap, UsageError, NothingThere, TableError
        The model needs a clinical table or maps and there are none, or needs no maps; one file of a
        map is named for several scans; the table cannot be read, or has cells that cannot be.
        Before the first scan is read.
    MissingExtra
        There is nothing to make a PDF with. Before the first scan is read.
    NoSpace, NotWritable
        The results cannot be kept, before the first scan or at any later one: the run ends, for no
        other scan's could be.
    WorkerDied
        The system ended one of the processes.
    """
    if pages.pdf:
        from hemocast.report.case.pdf import browser_path

        browser_path()
    calibration = model.description.calibration
    tables = _clinical(model, beside.clinical, key)
    known = None
    if tables is not None:
        known = known_patients(tables.tables, for_scores_alone=not model.needs_record)
    _check_maps(model, beside.maps, len(cases))
    with PredictionsFolder.open(out, model.hash, key, calibration.assumed) as folder:
        check_space(out, len(cases) * _CASE_BYTES)
        if folder.names.keyed:
            folder.names.plan(cases)
            folder.names.save()
        run = _Run(cases, folder, tables if model.needs_record else None, known, resume, pages,
                   beside.maps)  # fmt: skip
        for case, result in run.results(model, workers):
            folder.add(result, case.path)
            folder.add_bag(result.participant_id, calibration)
            yield result
            del result  # before the next scan is read


def _clinical(model: Model, path: Path | None, key: Path | bytes | None) -> ClinicalTables | None:
    """Read the clinical table, for the model and for the scores; refuse that it lacks."""
    if path is None and model.needs_record:
        raise NoRecord(
            "The model needs the clinical record of each patient",
            "a table with participant_id or patient_id, or the dataset's folder",
            "Name it with --clinical",
        )
    if path is None:
        return None
    secret = given_key(key) if isinstance(key, Path) and key.is_file() else key
    return ClinicalTables.read(path, secret if isinstance(secret, bytes) else None)


def _check_maps(model: Model, path: Path | None, cases: int) -> None:
    """Refuse maps that are not needed, are needed and not named, or are one file for many scans."""
    if path is None and model.needs_map:
        raise NoMap(
            "The model needs a co-registered map of each scan",
            "a folder with SCAN_ID_map.nii.gz, or the map of a single scan",
            "Name it with --map",
        )
    if path is not None and not model.needs_map:
        raise UsageError(
            "A map is given, and the model is told of none",
            "no map, or a model of a co-registered map",
            "Leave out --map",
        )
    if path is not None and not path.exists():
        raise NothingThere("There is no such map", "a NIfTI file or a folder", "Check the path")
    if path is not None and path.is_file() and cases > 1:
        raise UsageError(
            f"One map is named for {cases} cases",
            "a folder with a map for every scan, SCAN_ID_map.nii.gz",
            "Name the folder, or predict one scan at a time",
        )


Step = CaseResult | ScanJob


@dataclass(frozen=True)
class _Run:
    """All cases, and the folder that they go into."""

    cases: Sequence[Case]
    folder: PredictionsFolder
    tables: ClinicalTables | None
    known: KnownPatients | None
    resume: bool
    pages: Pages
    maps: Path | None = None

    def results(self, model: Model, workers: int) -> Iterator[tuple[Case, CaseResult]]:
        """Predict in the order of the cases, some ahead where there are several processes."""
        waiting: deque[tuple[Case, Step | ExitStack, Callable[[], Done] | None]] = deque()
        with ExitStack() as opened, _Workers(model, workers) as pool:
            for case, step in self._steps(opened):
                begun = pool.begin(step) if isinstance(step, ScanJob) else None
                waiting.append((case, step, begun))
                while len(waiting) > pool.ahead:
                    yield from self._next(*waiting.popleft())
            while waiting:
                yield from self._next(*waiting.popleft())

    def _next(
        self, case: Case, step: Step | ExitStack, done: Callable[[], Done] | None
    ) -> Iterator[tuple[Case, CaseResult]]:
        if isinstance(step, ExitStack):
            step.close()
        elif isinstance(step, CaseResult):
            yield case, step
        elif done is not None:
            result, made = done()
            yield case, self._keep(result, made)

    def _keep(self, result: CaseResult, made: Mapping[str, bytes]) -> CaseResult:
        if not made or result.scan_id is None:
            return result
        # Of a copy that lacks slices, say: its page must not replace that of the whole scan.
        if result.prediction is None and self.folder.is_predicted(result.scan_id):
            return result
        try:
            return replace(result, folder=self.folder.write_scan(result.scan_id, made))
        except (NoSpace, NotWritable):
            raise
        except HemocastError as error:
            return replace(
                result, status="refused", code=error.code, message=str(error), prediction=None
            )

    def _steps(self, opened: ExitStack) -> Iterator[tuple[Case, Step | ExitStack]]:
        """Give what is to be done for every scan; after a case, what it keeps open."""
        for case in self.cases:
            kept = opened.enter_context(ExitStack())
            scans = scans_of(case, self.folder.names, kept)
            while (step := self._step(case, scans)) is not None:
                yield case, step
                del step
            yield case, kept

    def _step(self, case: Case, scans: Iterator[Candidate | HemocastError]) -> Step | None:
        """Find and name one scan more; None where there is none."""
        names = case.participant_id, case.scan_id
        try:
            scan = next(scans, None)
            if scan is None:
                return None
            if isinstance(scan, HemocastError):
                raise scan
            names = patient, scan_id = self.folder.names.of(case, scan)
            if self.resume and self.folder.is_done(scan_id, pdf=self.pages.pdf):
                return CaseResult(case.number, "skipped", "", "", patient, scan_id)
            self.folder.check(scan_id)
            record = self.tables.of([patient or ""]) if self.tables else None
            found = find_map(self.maps, scan_id) if self.maps else None
        except HemocastError as error:
            return CaseResult(case.number, "refused", error.code, str(error), *names)
        except Exception as error:
            # One case must not end a run of 500; the cause goes to a log file, not to the table.
            fault = internal_error(error)
            return CaseResult(case.number, "failed", fault.code, str(fault), *names)
        known = self.known.rows.get(patient or "") if self.known else None
        return ScanJob(case.number, patient, scan_id, scan, record, self.pages, found, known)


class _Workers:
    """Predicts here, or in processes that have the model each.

    Parameters
    ----------
    model : Model
        Predicts.
    n : int
        How many processes; 1: this one.
    """

    def __init__(self, model: Model, n: int) -> None:
        self._model = model
        self._pool: Executor | None = None
        self.ahead = n if n > 1 else 0
        if n > 1:
            from concurrent.futures import ProcessPoolExecutor
            from multiprocessing import get_context

            # Without its session, which stays here; each process gets its share of the CPUs.
            own = replace(model, threads=max(1, usable_cpus() // n))
            self._pool = ProcessPoolExecutor(n, get_context("spawn"), _set_out, (own,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, job: ScanJob) -> Callable[[], Done]:
        """Begin with a scan; what is returned waits for it."""
        if self._pool is None:
            return partial(predict_scan, job, self._model)
        from concurrent.futures.process import BrokenProcessPool

        try:
            begun = self._pool.submit(_predict_here, job)
        except BrokenProcessPool as error:
            raise _died() from error
        return partial(_wait, begun)


def _wait(begun: Future[Done]) -> Done:
    from concurrent.futures.process import BrokenProcessPool

    try:
        return begun.result()
    except BrokenProcessPool as error:
        raise _died() from error


def _died() -> WorkerDied:
    return WorkerDied(
        "A process that predicted scans was ended from outside",
        "processes that live; the system ends one where memory runs out",
        "Run again with --resume and fewer --workers: what is predicted stays",
    )


_MINE: list[Model] = []
"""The model of a process that predicts for another."""


def _set_out(model: Model) -> None:
    _MINE[:] = [model]


def _predict_here(job: ScanJob) -> Done:
    return predict_scan(job, _MINE[0])

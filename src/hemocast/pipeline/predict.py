"""Paths in; for every scan a folder of results, and one table, out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.classical.record import ClinicalTables
from hemocast.dataset.ingest.sources import Candidate
from hemocast.errors import HemocastError, NoRecord, NoSpace, NotWritable, UsageError
from hemocast.faults import internal_error
from hemocast.files import check_space, write_json
from hemocast.pipeline.predictions.cases import Case, cases_of
from hemocast.pipeline.predictions.folder import PREDICTION, CaseResult, PredictionsFolder
from hemocast.pipeline.predictions.names import scans_of

if TYPE_CHECKING:
    from hemocast.model import Model, Prediction
    from hemocast.volume import Volume

__all__ = ["Case", "CaseResult", "cases_of", "predict_cases"]

_CASE_BYTES = 2_000_000
"""Of a scan's page, picture, map and record, about."""


def predict_cases(
    cases: Sequence[Case],
    model: Model,
    out: Path,
    *,
    key: Path | bytes | None = None,
    clinical: Path | None = None,
    resume: bool = False,
) -> Iterator[CaseResult]:
    """Predict every scan, one after the other, writing into `out` as they finish.

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
    clinical : Path, optional
        What is known of the patients, for a model that has to be told: a table with
        ``participant_id``, or a dataset's folder; see `hemocast.classical.record`.
    resume : bool
        Skip scans that this model has predicted there before.

    Yields
    ------
    CaseResult
        One for every scan, in the order of `cases`. Only the caller can keep it: here no more than
        its row of the table stays, so that memory does not grow with the number of scans.

    Raises
    ------
    OutputExists, NotWritable, InUse, UsageError
        As `PredictionsFolder.open` does, before the first scan is read.
    NoRecord, UsageError, NothingThere, TableError
        The model needs a clinical table and there is none, or needs none; the table cannot be
        read, or has cells that cannot be. Before the first scan is read.
    NoSpace, NotWritable
        The results cannot be kept, before the first scan or at any later one: the run ends, for no
        other scan's could be.
    """
    calibration = model.description.calibration
    tables = _clinical(model, clinical)
    with PredictionsFolder.open(out, model.hash, key, calibration.assumed) as folder:
        check_space(out, len(cases) * _CASE_BYTES)
        if folder.names.keyed:
            folder.names.plan(cases)
            folder.names.save()
        for case in cases:
            for result in _Run(case, model, folder, tables, resume=resume).results():
                folder.add(result, case.path)
                folder.add_bag(result.participant_id, calibration)
                yield result


def _clinical(model: Model, path: Path | None) -> ClinicalTables | None:
    """Read the clinical table; refuse one too many, or one too few."""
    if path is None and model.needs_record:
        raise NoRecord(
            "The model needs the clinical record of each patient",
            "a table with participant_id, or the dataset's folder",
            "Name it with --clinical",
        )
    if path is not None and not model.needs_record:
        raise UsageError(
            "A clinical table is given, and the model sees the scan alone",
            "no table, or a model of the clinical record",
            "Leave out --clinical",
        )
    return None if path is None else ClinicalTables.read(path)


@dataclass(frozen=True)
class _Run:
    """One case: what it works with."""

    case: Case
    model: Model
    folder: PredictionsFolder
    tables: ClinicalTables | None
    resume: bool

    def results(self) -> Iterator[CaseResult]:
        scans = scans_of(self.case, self.folder.names)
        while (result := self._next(scans)) is not None:
            yield result
            del result  # before the next scan is read

    def _next(self, scans: Iterator[Candidate | HemocastError]) -> CaseResult | None:
        """Read and predict one scan more; None where there is none."""
        start = time.perf_counter()
        number, names = self.case.number, (self.case.participant_id, self.case.scan_id)
        simulated, named = self.model.description.simulated_training_data, False
        try:
            scan = next(scans, None)
            if scan is None:
                return None
            if isinstance(scan, HemocastError):
                raise scan
            names = patient, scan_id = self.folder.names.of(self.case, scan)
            if self.resume and self.folder.is_done(scan_id):
                return CaseResult(number, "skipped", "", "", patient, scan_id)
            named = True
            self.folder.check(scan_id)
            volume = scan.read()
            simulated = simulated or volume.source.simulated
            record = self.tables.of([patient or ""]) if self.tables else None
            prediction = self.model.predict(volume, scan_id=scan_id, record=record)
            # The page needs where the voxels lay, not them: of thin slices, half a gigabyte.
            volume = volume.emptied()
            base_rate = self.model.description.training.prevalence
            write = partial(_write_files, prediction, volume, base_rate)
            place = self.folder.write_scan(scan_id, write)
        except HemocastError as error:
            # Before a scan has its name it is the temporary folder that is full, of one zip.
            if isinstance(error, NoSpace | NotWritable) and named:
                raise
            return CaseResult(
                number, "refused", error.code, str(error), *names, simulated=simulated
            )
        except Exception as error:
            # One case must not end a run of 500; the cause goes to a log file, not to the table.
            fault = internal_error(error)
            return CaseResult(number, "failed", fault.code, str(fault), *names, simulated=simulated)
        seconds = time.perf_counter() - start
        return CaseResult(
            number, "done", "", "", patient, scan_id, prediction, place, seconds, simulated
        )


def _write_files(prediction: Prediction, volume: Volume, base_rate: float, folder: Path) -> None:
    from hemocast import dicom, report
    from hemocast.model import heatmap_on_scan

    write_json(folder / PREDICTION, report.prediction_json(prediction))
    report.write_montage(prediction, folder / "montage.png")
    report.write_case_page(prediction, volume.source, folder / "report.html", base_rate=base_rate)
    if not prediction.has_heatmap:
        return
    dicom.write_nifti(
        heatmap_on_scan(prediction, volume),
        volume.affine,
        folder / "heatmap.nii.gz",
        dtype="float32",
        # The header has room for 79 characters.
        description=prediction.notice.replace(" scan;", "")[:79],
        sides_known=prediction.stack.record.sides_known,
    )

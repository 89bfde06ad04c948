"""Paths in; for every scan a folder of results, and one table, out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.scan_id import ScanId
from hemocast.errors import HemocastError, NoSpace, NotWritable
from hemocast.faults import internal_error
from hemocast.files import check_space, write_json
from hemocast.pipeline.predictions_folder import PREDICTION, CaseResult, PredictionsFolder, Row

if TYPE_CHECKING:
    from hemocast.model import Model, Prediction
    from hemocast.volume import Volume

__all__ = ["CaseResult", "predict_paths"]

_CASE_BYTES = 2_000_000
"""Of a scan's page, picture, map and record, about."""


def predict_paths(paths: Sequence[Path], model: Model, out: Path) -> Iterator[CaseResult]:
    """Predict every scan in `paths`, one after the other, writing into `out` as they finish.

    A path is a DICOM folder or file, a zip, or a NIfTI; each holds scans of one patient. A bad one
    costs that case alone. ``predictions.csv`` is rewritten after every case, so that what is
    finished is not lost when the run is stopped. Earlier predictions of the same model stay there,
    and so does what users wrote.

    Yields
    ------
    CaseResult
        One for every scan, in the order of `paths`. Only the caller can keep it: here no more than
        its row of the table stays, so that memory does not grow with the number of scans.

    Raises
    ------
    OutputExists, NotWritable, InUse
        As `PredictionsFolder.open` does, before the first scan is read.
    NoSpace, NotWritable
        The results cannot be kept, before the first scan or at any later one: the run ends, for no
        other scan's could be.
    """
    rows: list[Row] = []
    with PredictionsFolder.open(out, model.hash) as folder:
        check_space(out, len(paths) * _CASE_BYTES)
        for case, path in enumerate(paths, start=1):
            for result in _predict_path(case, path, model, folder):
                rows.append(result.row())
                folder.write_table(rows)
                yield result


def _predict_path(
    case: int, path: Path, model: Model, folder: PredictionsFolder
) -> Iterator[CaseResult]:
    from hemocast import dicom

    volumes = dicom.read_all(path)
    while (result := _predict_next(case, path, volumes, model, folder)) is not None:
        yield result
        del result  # before the next scan is read


def _predict_next(
    case: int,
    path: Path,
    volumes: Iterator[Volume | HemocastError],
    model: Model,
    folder: PredictionsFolder,
) -> CaseResult | None:
    """Read and predict one scan more; None where there is none."""
    start = time.perf_counter()
    names: tuple[str | None, str | None] = (None, None)
    simulated = model.description.simulated_training_data
    try:
        volume = next(volumes, None)
        if volume is None:
            return None
        if isinstance(volume, HemocastError):
            raise volume
        names = patient, scan_id = _names(path, volume)
        simulated = simulated or volume.source.simulated
        folder.check(scan_id)
        prediction = model.predict(volume, scan_id=scan_id)
        base_rate = model.description.training.prevalence
        write = partial(_write_files, prediction, volume, base_rate)
        place = folder.write_scan(scan_id, write)
    except HemocastError as error:
        # Before a scan has its name it is the temporary folder that is full, of one zip.
        if isinstance(error, NoSpace | NotWritable) and names[1]:
            raise
        return CaseResult(case, "refused", error.code, str(error), *names, simulated=simulated)
    except Exception as error:
        # One case must not end a run of 500; the cause goes to a log file, not to the table.
        fault = internal_error(error)
        return CaseResult(case, "failed", fault.code, str(fault), *names, simulated=simulated)
    seconds = time.perf_counter() - start
    return CaseResult(case, "done", "", "", patient, scan_id, prediction, place, seconds, simulated)


def _names(path: Path, volume: Volume) -> tuple[str | None, str]:
    scan = ScanId.of_file(path.name) if volume.source.kind == "nifti" else None
    if scan is None or not scan.is_pseudonym:  # a name of others may name the patient
        return None, volume.source.scan_uid
    return scan.participant_id, str(scan)


def _write_files(prediction: Prediction, volume: Volume, base_rate: float, folder: Path) -> None:
    from hemocast import dicom, report
    from hemocast.model import heatmap_on_scan

    write_json(folder / PREDICTION, report.prediction_json(prediction))
    report.write_montage(prediction, folder / "montage.png")
    report.write_case_page(prediction, volume.source, folder / "report.html", base_rate=base_rate)
    dicom.write_nifti(
        heatmap_on_scan(prediction, volume),
        volume.affine,
        folder / "heatmap.nii.gz",
        dtype="float32",
        # The header has room for 79 characters.
        description=prediction.notice.replace(" scan;", "")[:79],
        sides_known=prediction.stack.record.sides_known,
    )

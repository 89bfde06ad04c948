"""Paths in; for every scan a folder of results, and one table, out."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.layout import replacing
from hemocast.dataset.scan_id import ScanId
from hemocast.errors import HemocastError
from hemocast.faults import internal_error

if TYPE_CHECKING:
    from hemocast.model import Model, Prediction
    from hemocast.volume import Volume

COLUMNS = [
    "case",
    "participant_id",
    "scan_id",
    "probability",
    "probability_low",
    "probability_high",
    "threshold",
    "status",
    "code",
    "message",
    "simulated",
]


@dataclass(frozen=True)
class CaseResult:
    """What became of one scan (or of one path in which no scan was found).

    Parameters
    ----------
    case : int
        Which of the given paths it came from, counted from 1. Paths themselves may identify a
        patient and go into no table.
    status : str
        ``"done"``, ``"refused"`` (with the code of the refusal) or ``"failed"`` (our own fault).
    participant_id, scan_id : str or None
        Of a dataset's NIfTI from its name; of anything else the scan_id is a hash of its UIDs.
    prediction : Prediction or None
        The result when done.
    folder : Path or None
        Where its files lie when done.
    seconds : float
        Time it took.
    simulated : bool
        The scan is simulated, or the model learned from simulated scans: no clinical evidence.
    """

    case: int
    status: str
    code: str = ""
    message: str = ""
    participant_id: str | None = None
    scan_id: str | None = None
    prediction: Prediction | None = None
    folder: Path | None = None
    seconds: float = 0.0
    simulated: bool = False


def predict_paths(paths: Sequence[Path], model: Model, out: Path) -> Iterator[CaseResult]:
    """Predict every scan in `paths`, one after the other, writing into `out` as they finish.

    A path is a DICOM folder or file, a zip, or a NIfTI; each holds scans of one patient. A bad one
    costs that case alone. ``predictions.csv`` is rewritten after every case, so that what is
    finished is not lost when the run is stopped.

    Yields
    ------
    CaseResult
        One for every scan, in the order of `paths`.
    """
    out.mkdir(parents=True, exist_ok=True)
    results: list[CaseResult] = []
    for case, path in enumerate(paths, start=1):
        for result in _predict_path(case, path, model, out):
            results.append(result)
            _write_csv(results, out / "predictions.csv")
            yield result


def _predict_path(case: int, path: Path, model: Model, out: Path) -> Iterator[CaseResult]:
    from hemocast import dicom

    volumes = dicom.read_all(path)
    while True:
        start = time.perf_counter()
        names: tuple[str | None, str | None] = (None, None)
        simulated = model.description.simulated_training_data
        try:
            item = next(volumes, None)
            if item is None:
                return
            if isinstance(item, HemocastError):
                raise item
            volume = item
            names = _names(path, volume)
            simulated = simulated or volume.source.simulated
            prediction = model.predict(volume)
            folder = out / str(names[1])
            _write_results(prediction, volume, model, str(names[1]), folder)
        except HemocastError as error:
            yield CaseResult(case, "refused", error.code, str(error), *names, simulated=simulated)
        except Exception as error:
            # One case must not end a run of 500; the cause goes to a log file, not to the table.
            fault = internal_error(error)
            yield CaseResult(case, "failed", fault.code, str(fault), *names, simulated=simulated)
        else:
            seconds = time.perf_counter() - start
            yield CaseResult(case, "done", "", "", *names, prediction, folder, seconds, simulated)


def _names(path: Path, volume: Volume) -> tuple[str | None, str]:
    scan = ScanId.of_file(path.name) if volume.source.kind == "nifti" else None
    return (scan.participant_id, str(scan)) if scan else (None, volume.source.scan_uid)


def _write_results(
    prediction: Prediction, volume: Volume, model: Model, scan_id: str, folder: Path
) -> None:
    """Write a scan's folder whole: under a temporary name, then renamed over an older result."""
    from hemocast import dicom, report
    from hemocast.model import heatmap_on_scan

    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{scan_id}."))
    try:
        content = report.prediction_json(prediction, scan_id=scan_id)
        (temporary / "prediction.json").write_text(
            json.dumps(content, indent=2) + "\n", encoding="utf-8"
        )
        report.write_prediction_montage(prediction, temporary / "montage.png")
        report.write_case_page(
            prediction,
            volume.source,
            temporary / "report.html",
            base_rate=model.description.training.prevalence,
        )
        dicom.write_nifti(
            heatmap_on_scan(prediction, volume),
            volume.affine,
            temporary / "heatmap.nii.gz",
            dtype="float32",
            # The header has room for 79 characters.
            description=prediction.notice.replace(" scan;", "")[:79],
        )
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_csv(results: Sequence[CaseResult], path: Path) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(_row(result) for result in results)


def _row(result: CaseResult) -> dict[str, object]:
    row: dict[str, object] = {
        "case": result.case,
        "participant_id": result.participant_id or "n/a",
        "scan_id": result.scan_id or "n/a",
        "status": result.status,
        "code": result.code,
        "message": result.message,
        "simulated": int(result.simulated),
    }
    if result.prediction is not None:
        low, high = result.prediction.probability_interval
        row |= {
            "probability": f"{result.prediction.probability:.6f}",
            "probability_low": f"{low:.6f}",
            "probability_high": f"{high:.6f}",
            "threshold": f"{result.prediction.threshold:.6f}",
        }
    return row

"""One scan read, predicted and told: what a process needs for it, and the files that come of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.ingest.sources import Candidate
from hemocast.dataset.maps import read_cells
from hemocast.errors import HemocastError, NoSpace, NotWritable
from hemocast.faults import internal_error
from hemocast.files import write_json
from hemocast.pipeline.predictions.folder import PAGE, PAGE_PDF, PREDICTION, CaseResult
from hemocast.pipeline.predictions.scores import rows_of_scores, score_scan
from hemocast.pipeline.sign_cells import measured_cells

if TYPE_CHECKING:
    from hemocast.classical.measurements import Measurements
    from hemocast.classical.scores import Result
    from hemocast.model import Model, Prediction
    from hemocast.report.case.page import Setting
    from hemocast.report.case.signs import SignsView
    from hemocast.signs.measured import Found, Signs
    from hemocast.signs.regions import EvidencePlaces
    from hemocast.volume import BoolArray, FloatArray, Volume


@dataclass(frozen=True)
class Pages:
    """How the pages of scans are written.

    Parameters
    ----------
    lang : str
        ``"en"`` or ``"zh"``.
    pdf : bool
        Those of predictions also as PDF, which needs the extra ``pdf``.
    """

    lang: str = "en"
    pdf: bool = False


USUAL_PAGES = Pages()


@dataclass(frozen=True, repr=False)
class ScanJob:
    """A scan that is to be predicted: what a process needs for it, and nothing of the folder's.

    Parameters
    ----------
    number : int
        Of its case.
    participant_id, scan_id : str or None, str
        Its names.
    scan : Candidate
        What to read.
    record : Measurements or None
        Clinical values, for a model that has to be told.
    pages : Pages
        How its page is written.
    map : Path, optional
        A co-registered map, for a model that has to be told.
    known : mapping, optional
        What a clinical table says of the patient, for the published scores.
    """

    number: int
    participant_id: str | None
    scan_id: str
    scan: Candidate
    record: Measurements | None
    pages: Pages
    map: Path | None = None
    known: Mapping[str, object] | None = None


Done = tuple[CaseResult, dict[str, bytes]]


def predict_scan(job: ScanJob, model: Model) -> Done:
    """Read and predict a scan.

    Parameters
    ----------
    job : ScanJob
        The scan.
    model : Model
        Predicts.

    Returns
    -------
    CaseResult, dict of str to bytes
        The result, and its files by name: of a refused scan the page alone, of a fault of our own
        none.

    Raises
    ------
    NoSpace, NotWritable
        The results cannot be kept: no other scan's could be.
    """
    from hemocast.pipeline.scan_signs import evidence_places, predict_measured
    from hemocast.prepare.eligibility import eligible
    from hemocast.report.case.page import Setting
    from hemocast.report.case.refusal import refusal_page
    from hemocast.report.language import language

    start = time.perf_counter()
    names = job.participant_id, job.scan_id
    simulated = model.description.simulated_training_data
    try:
        volume = job.scan.read()
        simulated = simulated or volume.source.simulated
        ready = eligible(volume, model.description.prepare)
        cells = None
        if job.map is not None:
            cells, made_up = read_cells(job.map, volume, ready.stack)
            simulated = simulated or made_up
            volume = volume.as_simulated() if made_up else volume
        found, signs, prediction = predict_measured(
            ready, model, volume=volume, scan_id=job.scan_id, record=job.record, cells=cells
        )
        places = evidence_places(prediction, found, signs)
        cells_of_signs = measured_cells(signs)
        scored = score_scan(job.known, job.scan_id, cells_of_signs) if job.known else None
        results = scored.results if scored else ()
        all_of_it = _Made(prediction, ready.hu, *_shown(ready, found, signs), places, results)
        del ready, found
        # The page needs where the voxels lay, not them: of thin slices, half a gigabyte.
        volume = volume.emptied()
        setting = Setting(
            base_rate=model.description.training.prevalence, language=language(job.pages.lang)
        )
        # In the system's folder for such things: what a killed run leaves is not among the results.
        with tempfile.TemporaryDirectory(prefix="hemocast-") as folder:
            _write_files(all_of_it, volume, setting, Path(folder))
            if job.pages.pdf:
                from hemocast.report.case.pdf import print_page

                print_page(Path(folder) / PAGE, Path(folder) / PAGE_PDF)
            made = {p.name: p.read_bytes() for p in Path(folder).iterdir()}
    except (NoSpace, NotWritable):
        raise
    except HemocastError as error:
        notice = model.description.notice
        page = refusal_page(error, job.scan_id, notice, language(job.pages.lang))
        return CaseResult(
            job.number, "refused", error.code, str(error), *names, simulated=simulated
        ), {PAGE: page.encode()}
    except Exception as error:
        fault = internal_error(error)
        return CaseResult(
            job.number, "failed", fault.code, str(fault), *names, simulated=simulated
        ), {}
    seconds = time.perf_counter() - start
    return CaseResult(
        job.number, "done", "", "", *names, prediction, None, seconds, simulated,
        signs=cells_of_signs, measured=signs,
        scores=rows_of_scores(scored, simulated=simulated) if scored else (),
    ), made  # fmt: skip


@dataclass(frozen=True)
class _Made:
    """What is written of one scan."""

    prediction: Prediction
    hu: FloatArray
    view: SignsView
    mask: BoolArray
    places: EvidencePlaces | None
    scores: tuple[Result, ...]


def _shown(ready: Found, found: Found, signs: Signs) -> tuple[SignsView, BoolArray]:
    """Return the signs as the page shows them, and the infarct's mask on the scan's grid.

    Places and outline are shown where the model's frames are those that signs are measured on.
    """
    from hemocast.pipeline.scan_signs import infarct_frames, infarct_on_scan
    from hemocast.report.case.signs import view_signs

    view = view_signs(signs, infarct_frames(found, signs))
    if ready.config != found.config:
        view = view.without_places()
    return view, infarct_on_scan(found, signs)


def _write_files(made: _Made, volume: Volume, setting: Setting, folder: Path) -> None:
    from hemocast import dicom, report
    from hemocast.model import heatmap_on_scan

    prediction = made.prediction
    write_json(
        folder / PREDICTION,
        report.prediction_json(prediction, places=made.places, scores=made.scores),
    )
    report.write_montage(prediction, folder / "montage.png")
    report.write_case_page(
        prediction,
        volume.source,
        folder / PAGE,
        signs=made.view,
        hu=made.hu,
        places=made.places,
        scores=made.scores,
        setting=setting,
    )
    # The header has room for 79 characters.
    notice = prediction.notice.replace(" scan;", "")[:79]
    maps: list[tuple[str, BoolArray | FloatArray]] = [("infarct.nii.gz", made.mask)]
    if prediction.has_heatmap:
        maps.append(("heatmap.nii.gz", heatmap_on_scan(prediction, volume)))
    for name, values in maps:
        is_mask = values.dtype == bool
        dicom.write_nifti(
            values,
            volume.affine,
            folder / name,
            dtype="uint8" if is_mask else "int16",
            scaled=not is_mask,
            description=notice,
            sides_known=prediction.stack.record.sides_known,
        )

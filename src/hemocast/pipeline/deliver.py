"""One scan in; what a hospital's systems take of its result out, without any service."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.deliver import Analysed, ModelName, Refused, Result, make_objects, read_headers
from hemocast.deliver.fhir import make_bundle
from hemocast.deliver.hl7 import make_message
from hemocast.deliver.objects import encoded
from hemocast.dicom import Scan, find_scans, one_scan, open_path, read_series
from hemocast.dicom.refusals import unreadable
from hemocast.errors import HemocastError, NoSpace, NotWritable
from hemocast.files import claim, json_text
from hemocast.pipeline.scan_signs import infarct_on_scan, predict_measured
from hemocast.prepare.eligibility import eligible
from hemocast.report.language import ENGLISH, Language

if TYPE_CHECKING:
    from hemocast.model import Model
    from hemocast.volume import Volume

KIND = "delivery"
FHIR, HL7 = "fhir.json", "oru.hl7"


def analyse_scan(path: Path, model: Model, *, language: Language = ENGLISH) -> Result:
    """Read and predict one scan; a scan that is refused gives a result that says so.

    Parameters
    ----------
    path : Path
        A DICOM folder or a zip of one, of one patient.
    model : Model
        Of the scan alone: there is no clinical record or map here.
    language : Language
        Of the picture.

    Raises
    ------
    InputError, SeriesError
        There is not one head series to read, so that nobody knows whose a result would be.
    """
    with open_path(path) as opened:
        found = find_scans(opened)
        if found.unread:
            raise unreadable(found.unread.values())
        scan = one_scan(found)
        about = model.description
        model_name = ModelName(about.name, about.version, model.hash)
        simulated = about.simulated_training_data or any(
            image.simulated for image in scan.series.images
        )
        try:
            answer, volume = _answered(scan, model)
        except (NoSpace, NotWritable):
            raise
        except HemocastError as error:
            answer, volume = Refused.of(error), None
        return Result(
            headers=read_headers(scan.series, volume),
            answer=answer,
            made=datetime.now().astimezone(),
            model=model_name,
            language=language,
            simulated=simulated,
            notice=about.notice,
        )


def _answered(scan: Scan, model: Model) -> tuple[Analysed | Refused, Volume | None]:
    volume = read_series(scan.series, scan.left_out)
    ready = eligible(volume, model.description.prepare)
    found, signs, prediction = predict_measured(ready, model, volume=volume)
    mask = infarct_on_scan(found, signs)
    return Analysed(prediction, signs, mask, volume.affine), volume


def deliver(result: Result, out: Path) -> list[str]:
    """Write a result's DICOM objects, FHIR bundle and HL7 message into a folder of their own.

    Parameters
    ----------
    result : Result
        What is told.
    out : Path
        New, empty, or of an earlier run; its owner's alone, for all of it holds identifiers.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    OutputExists, NotWritable, InUse, NoSpace
        The folder cannot be used.
    MissingExtra
        The extra ``serve`` is not installed.
    """
    files: dict[str, str | bytes] = {
        f"{kind.value}.dcm": encoded(dataset) for kind, dataset in make_objects(result).items()
    }
    files[FHIR] = json_text(make_bundle(result))
    files[HL7] = make_message(result).encode()
    with claim(out, KIND) as output:
        out.chmod(0o700)
        output.write_all(files)
    return list(files)

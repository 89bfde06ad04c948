"""A finished result to what others take of it: made with it, whether sent or not."""

from __future__ import annotations

import gzip
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast.deliver import (
    Analysed,
    ModelName,
    Refused,
    Result,
    make_objects,
    read_headers,
    write_objects,
)
from hemocast.deliver.fhir import make_bundle
from hemocast.deliver.hl7 import make_message
from hemocast.dicom import Scan
from hemocast.dicom.header.inflate import read_dataset
from hemocast.files import json_text
from hemocast.pipeline.deliver import FHIR, HL7
from hemocast.report.language import language

if TYPE_CHECKING:
    from hemocast.dataset.ingest.sources import Candidate
    from hemocast.model import Model
    from hemocast.pipeline.predictions.folder import CaseResult
    from hemocast.volume import Affine, BoolArray

INFARCT = "infarct.nii.gz"


def objects_of(
    result: CaseResult,
    scan: Candidate,
    model: Model,
    files: dict[str, bytes],
    *,
    revision: int,
    lang: str,
) -> dict[str, bytes]:
    """Make the DICOM objects and messages of one scan.

    Parameters
    ----------
    result : CaseResult
        Of the scan: done, or refused.
    scan : Candidate
        From DICOM images.
    model : Model
        That predicted.
    files : dict of str to bytes
        What ``hemocast predict`` writes of it.
    revision : int
        Of the study.
    lang : str
        Of the picture.

    Returns
    -------
    dict of str to bytes
        Their files, by name.
    """
    assert isinstance(scan.origin, Scan)  # noqa: S101 - the service takes nothing else
    about = model.description
    if result.prediction is None:
        answer: Analysed | Refused = Refused(result.code, result.message)
        name = ModelName(about.name, about.version, model.hash)
    else:
        answer = Analysed(result.prediction, result.measured, *_infarct(files[INFARCT]))
        name = ModelName.of(result.prediction)
    return _written(
        Result(
            headers=read_headers(scan.origin.series),
            answer=answer,
            made=datetime.now(UTC),
            model=name,
            language=language(lang),
            revision=revision,
            simulated=result.simulated,
            notice=about.notice,
        )
    )


def refusal_objects(
    image: Path, code: str, message: str, *, revision: int, lang: str
) -> dict[str, bytes]:
    """Make what says why a study was not analysed; see `objects_of`."""
    header = read_dataset(image, with_pixels=False)
    return _written(
        Result(
            headers=(header,),
            answer=Refused(code, message),
            made=datetime.now(UTC),
            language=language(lang),
            revision=revision,
        )
    )


def _written(result: Result) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="hemocast-") as folder:
        paths = write_objects(make_objects(result), Path(folder))
        files = {path.name: path.read_bytes() for path in paths}
    files[FHIR] = json_text(make_bundle(result)).encode()
    files[HL7] = make_message(result).encode()
    return files


def _infarct(content: bytes) -> tuple[BoolArray, Affine]:
    import nibabel
    import numpy as np

    image: Any = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    mask = np.asarray(image.dataobj) > 0
    # There also where its code says that sides are not known.
    affine = np.asarray(image.header.get_sform(), dtype=np.float64)
    return np.ascontiguousarray(mask.transpose(2, 1, 0)), affine
